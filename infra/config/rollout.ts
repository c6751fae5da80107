import { z } from "zod";

import { says } from "./error.ts";
import { name } from "./values.ts";

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

/** Systems whose health Hearth knows how to ask for. */
export const knownSystems = ["ceph", "linstor", "cloudnative-pg", "flux"] as const;

const expression = z.strictObject({
  /** Group and version of the objects. @example "apps/v1" */
  apiVersion: z
    .string()
    .regex(
      /^([a-z0-9]([a-z0-9.-]*[a-z0-9])?\/)?v\d+((alpha|beta)\d+)?$/,
      says("is no group and version", "write one such as apps/v1, or v1"),
    ),
  /** Kind of the objects. @example "Deployment" */
  kind: z.string().regex(/^[A-Z][A-Za-z0-9]*$/, says("is no kind", "write one such as Deployment")),
  /** Namespace of the objects. @default all */
  namespace: name.optional(),
  /** Name of the object, which then has to exist. @default all */
  name: z.string().min(1, says("is empty", "name an object, or leave it out")).optional(),
  /** A CEL expression that has to hold for each of the objects. It may name `object` and `now`. @example "object.status.readyReplicas == object.spec.replicas" */
  expression: z.string(),
});

const health = z.strictObject({
  /** Expressions of your own, beside those for Ceph, LINSTOR, CloudNativePG and Flux. */
  expressions: z.array(expression).default([]),
  /** Systems that are not asked for their health, although they are installed. @default none */
  skip: z.array(z.enum(knownSystems)).default([]),
  /** How many minutes the health may take to come back before the deployment ends. @default 30 */
  timeout: z
    .int()
    .min(1, says("is too short", "give one minute at least"))
    .max(1440, says("is too long", "give a day, 1440, at most"))
    .default(30),
});

export type HealthConfig = z.output<typeof health>;

/** How machines are taken out of service. */
export const rolloutSchema = z.strictObject({
  /** Times at which a machine may be taken out of service. A step that has begun goes on. @default always */
  windows: z.array(window).default([]),
  /** Time zone of the windows. @default "UTC" */
  timeZone: z.string().refine(isTimeZone, says("is not a time zone", "write one such as Europe/Berlin")).default("UTC"),
  /** What has to hold before a machine is taken out of service, and after it is back. */
  health: health.prefault({}),
});

export type RolloutConfig = z.output<typeof rolloutSchema>;
