import { exemptionFor, type Exemption, type PolicyName } from "../infra/config/policy.ts";
import type { Resource } from "./resource.ts";
import type { Stack } from "./stack.ts";

/** A policy's finding on a resource, as a person reads it. It never contains a secret. */
export interface Finding {
  /** What is wrong, as a sentence without a full stop. */
  problem: string;
  /** What to do instead. */
  advice: string;
  /** The name that an exemption uses. @default the resource's name */
  subject?: string;
  /** Whether no exemption lets it pass. @default false */
  final?: true;
}

/** A policy, which checks each resource before the engine changes it. */
export interface Rule {
  name: PolicyName;
  /** What the policy enforces, in one sentence. */
  description: string;
  /** Checks a resource. The stack knows the resources before it and the state before the run. */
  check: (resource: Resource, stack: Stack) => Finding[] | Promise<Finding[]>;
  /** Checks all resources together, at the end of a preview. */
  finish?: (stack: Stack) => Finding[] | Promise<Finding[]>;
}

/** A finding after the stack's exemptions are applied. */
export interface Verdict {
  message: string;
  /** Whether an exemption allows it. */
  exempt: boolean;
}

/** Applies a stack's exemptions to a finding. */
export const judge = (
  policy: PolicyName,
  { problem, advice, subject = "", final }: Finding,
  exemptions: readonly Exemption[],
  today: string,
): Verdict => {
  if (final) return { message: `${problem}: ${advice}`, exempt: false };
  const found = exemptionFor(policy, subject, exemptions, today);
  if (found?.isValid) {
    const ends = found.until === undefined ? "" : ` until ${found.until}`;
    return { message: `${problem}; exempt from ${policy}${ends}: ${found.reason}`, exempt: true };
  }
  const over = found === undefined ? "" : ` The exemption from ${policy} ended on ${found.until ?? ""}.`;
  return {
    message: `${problem}: ${advice}.${over} If this is intended, add to hearth:policy.exemptions { policy: ${policy}, reason: … }`,
    exempt: false,
  };
};
