import type { Exemption, PolicyName } from "../infra/config/policy.ts";
import type { Resource } from "./resource.ts";
import type { Stack } from "./stack.ts";

/** What a policy finds wrong with a resource, as a person reads it. It never holds a secret. */
export interface Finding {
  /** What is wrong, as a sentence without its full stop. */
  problem: string;
  /** What to do instead. */
  advice: string;
  /** What it is about, by which an exemption may name it. @default the resource's name */
  subject?: string;
}

/** A policy: looks at each resource before the engine changes anything of it. */
export interface Rule {
  name: PolicyName;
  /** What holds, in a sentence. */
  description: string;
  /** Looks at a resource, in the light of the stack: those before it, and what was there before. */
  check: (resource: Resource, stack: Stack) => Finding[] | Promise<Finding[]>;
  /** Looks at the whole when all resources are known, which is at the end of a preview. */
  finish?: (stack: Stack) => Finding[] | Promise<Finding[]>;
}

/** A finding, once the stack's exemptions were looked at. */
export interface Verdict {
  message: string;
  /** Whether an exemption lets it pass. */
  exempt: boolean;
}

/** What becomes of a finding under a stack's exemptions. */
export const judge = (
  policy: PolicyName,
  { problem, advice, subject = "" }: Finding,
  exemptions: readonly Exemption[],
  today: string,
): Verdict => {
  const named = exemptions.filter(
    (exemption) => exemption.policy === policy && (exemption.resources?.includes(subject) ?? true),
  );
  const [valid] = named.filter(({ until }) => until === undefined || until >= today);
  if (valid) {
    const ends = valid.until === undefined ? "" : ` until ${valid.until}`;
    return { message: `${problem}; exempt from ${policy}${ends}: ${valid.reason}`, exempt: true };
  }
  const [ended] = named;
  const over = ended === undefined ? "" : ` The exemption from ${policy} ended on ${ended.until ?? ""}.`;
  return {
    message: `${problem}: ${advice}.${over} Where it is meant to be so, add to hearth:policy.exemptions { policy: ${policy}, reason: … }`,
    exempt: false,
  };
};
