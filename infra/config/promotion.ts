import { z } from "zod";

import { says } from "./error.ts";

const units = { m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** How long a time such as 24h is, in milliseconds. */
export const millisecondsOf = (time: string): number =>
  Number(time.slice(0, -1)) * units[time.slice(-1) as keyof typeof units];

/** How commits reach the branch of a cluster that other clusters try first. */
export const promotionSchema = z.strictObject({
  /** Stack that runs a commit first. It follows another branch of the same repository. @example "dev" */
  from: z.string().min(1, says("is empty", "name the stack that runs commits first, such as dev")),
  /** How long that stack has to run a commit without a failure before it is promoted. @default "24h" */
  healthyFor: z
    .string()
    .regex(/^\d+[mhd]$/, says("is not a time", "write a number of minutes, hours or days, such as 24h"))
    .default("24h"),
});
