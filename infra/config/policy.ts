import { z } from "zod";

import { says } from "./error.ts";
import { day } from "./values.ts";

/** The policies of the policy pack, in the order in which docs/guides/policy.md explains them. */
export const policyNames = [
  "control-plane-quorum",
  "kept-resources",
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

const exemption = z
  .strictObject({
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
    until: day.optional(),
  })
  .refine(
    ({ policy, resources, until }) => policy !== "kept-resources" || (resources !== undefined && until !== undefined),
    {
      path: ["resources"],
      error: says("has to name what may be lost, and a last day", "add resources and until"),
    },
  );

/** Settings of the policy pack for a stack. */
export const policySchema = z.strictObject({
  /** Whether people depend on the stack, so that its disks have to be encrypted. @default true if the cluster's name ends with -prod */
  production: z.boolean().optional(),
  /** Policies that do not apply to the stack, each with a reason. */
  exemptions: z.array(exemption).default([]),
});

export type PolicyConfig = z.output<typeof policySchema>;

export type Exemption = z.output<typeof exemption>;

/** The day, in UTC, by which exemptions end. */
export const today = (): string => new Date().toISOString().slice(0, 10);

/** Names of the resources that may be lost on a day. A machine's is that of its node. */
export const mayBeLost = ({ exemptions }: PolicyConfig, day: string): string[] =>
  exemptions
    .filter(({ policy, until }) => policy === "kept-resources" && until !== undefined && until >= day)
    .flatMap(({ resources }) => resources ?? []);

/** The exemption from a policy that is about a resource: one that is valid on a day, or else one that has ended. */
export const exemptionFor = (
  policy: PolicyName,
  resource: string,
  exemptions: readonly Exemption[],
  day: string,
): (Exemption & { isValid: boolean }) | undefined => {
  const named = exemptions
    .filter((exemption) => exemption.policy === policy && (exemption.resources?.includes(resource) ?? true))
    .map((exemption) => ({ ...exemption, isValid: exemption.until === undefined || exemption.until >= day }));
  return named.find(({ isValid }) => isValid) ?? named[0];
};
