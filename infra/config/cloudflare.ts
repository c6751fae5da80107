import { z } from "zod";

import { hex32 } from "./values.ts";

export const cloudflareSchema = z.strictObject({
  account: hex32,
  zone: z.strictObject({ id: hex32, name: z.string() }),
  /** What the tunnel answers for. Each hostname also gets a proxied record. */
  ingress: z.array(z.strictObject({ hostname: z.string(), service: z.string() })),
});
