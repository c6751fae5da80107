import { z } from "zod";

import { says } from "./error.ts";

/** An Image Factory profile. */
export const imageSchema = z.strictObject({
  extensions: z
    .array(
      z
        .string()
        .regex(/^[\w-]+\/[\w.-]+$/, says("is not an extension", "write one such as siderolabs/qemu-guest-agent")),
    )
    .default([]),
  kernelArguments: z.array(z.string()).default([]),
});

/** Image Factory profiles by name. */
export const imagesSchema = z.record(z.string(), imageSchema);
