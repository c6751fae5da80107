import { z } from "zod";

import { says } from "./error.ts";

/** The policies of the policy pack, in the order in which docs/guides/policy.md explains them. */
export const policyNames = [
  "control-plane-quorum",
  "protected-secrets",
  "disk-encryption",
  "cilium-on-talos",
  "proxied-records",
  "fresh-escrow",
  "unique-addresses",
  "version-skew",
  "secret-inputs",
] as const;

export type PolicyName = (typeof policyNames)[number];

/** A date. Pulumi's YAML reads an unquoted one as a time, and passes that on. */
const date = z
  .string()
  .regex(
    /^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])( 00:00:00 \+0000 UTC)?$/,
    says("is not a date", "write one such as 2027-06-30"),
  )
  .transform((value) => value.slice(0, 10));

const exemption = z.strictObject({
  /** Policy that does not apply. */
  policy: z.enum(policyNames),
  /** The reason, for somebody who reads it in a year. @example "The NAS answers the tunnel's health check itself" */
  reason: z.string().trim().min(10, says("says too little", "write a sentence that somebody else understands")),
  /** Names of the resources that the policy does not apply to. @default all of them */
  resources: z.array(z.string()).min(1, says("is empty", "name at least one resource, or leave it out")).optional(),
  /**
   * Last day of the exemption, in UTC.
   *
   * @default no end
   * @example "2027-06-30"
   */
  until: date.optional(),
});

/** Settings of the policy pack for a stack. */
export const policySchema = z.strictObject({
  /** Whether people depend on the stack, so that its disks have to be encrypted. @default true if the cluster's name ends with -prod */
  production: z.boolean().optional(),
  /** Policies that do not apply to the stack, each with a reason. */
  exemptions: z.array(exemption).default([]),
});

export type Exemption = z.output<typeof exemption>;
