import { z } from "zod";

import { says } from "./error.ts";

/** Whom the escrow file of a stack is encrypted to, and where it lives. */
export const escrowSchema = z.strictObject({
  recipients: z
    .array(
      z
        .string()
        .regex(
          /^age1[02-9ac-hj-np-z]{58}$/,
          says("is not an age recipient", "write one such as age1… from age-keygen"),
        ),
    )
    .default([]),
});
