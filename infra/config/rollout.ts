import { z } from "zod";

import { says } from "./error.ts";

const time = z
  .string()
  .regex(/^([01]\d|2[0-3]):[0-5]\d$/, says("is not a time of day", "write one from 00:00 to 23:59, in quotes"));

export const days = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"] as const;

const window = z.strictObject({
  /** Days on which it begins. @default all */
  days: z.array(z.enum(days)).min(1, says("is empty", "name a day such as sat, or leave it out")).optional(),
  /** When it begins. @example "02:00" */
  from: time,
  /** When it ends. One that is not after `from` is on the next day. @example "05:00" */
  to: time,
});

const isTimeZone = (name: string): boolean => {
  try {
    new Intl.DateTimeFormat("en", { timeZone: name });
    return true;
  } catch {
    return false;
  }
};

/** How machines are taken out of service. */
export const rolloutSchema = z.strictObject({
  /** Times at which a machine may be taken out of service. A step that has begun goes on. @default always */
  windows: z.array(window).default([]),
  /** Time zone of the windows. @default "UTC" */
  timeZone: z.string().refine(isTimeZone, says("is not a time zone", "write one such as Europe/Berlin")).default("UTC"),
});

export type RolloutConfig = z.output<typeof rolloutSchema>;
