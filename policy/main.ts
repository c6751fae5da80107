import { join } from "node:path";

import { PolicyPack, type Policies, type ReportViolation } from "@pulumi/policy";

import { stackOf } from "../components/urn.ts";
import type { Exemption } from "../infra/config/policy.ts";
import { Checkout } from "./checkout.ts";
import { resourceOf } from "./engine.ts";
import { judge, type Finding, type Rule } from "./rule.ts";
import { rules } from "./rules/index.ts";
import { Stack } from "./stack.ts";
import { surroundingsOf } from "./surroundings.ts";

const checkout = new Checkout(join(import.meta.dirname, ".."));

// A killed engine does not end the processes that it started.
const engine = process.ppid;
setInterval(() => {
  if (process.ppid !== engine) process.exit();
}, 1000).unref();

let stack: Promise<Stack> | undefined;

/** Messages of the findings that exemptions allow, by the resource's URN. */
const passed = new Map<string, string[]>();

/** Returns the stack that the engine runs. Its name reaches a policy only as part of a URN. */
const stackFor = (urn: string): Promise<Stack> =>
  (stack ??= surroundingsOf(checkout, stackOf(urn)).then((surroundings) => new Stack(surroundings)));

/** The lab generates the same secrets again on request. */
const ofLab: Exemption[] =
  process.env.HEARTH_LAB === undefined
    ? []
    : [{ policy: "fresh-escrow", reason: "the secrets of a lab are worth nothing" }];

/** Reports the findings that no exemption allows, and returns the messages of the others. */
const report = ({ name }: Rule, findings: Finding[], known: Stack, violation: ReportViolation): string[] => {
  const today = new Date().toISOString().slice(0, 10);
  const exemptions = [...ofLab, ...known.surroundings.config.policy.exemptions];
  const verdicts = findings.map((finding) => judge(name, finding, exemptions, today));
  for (const { message, exempt } of verdicts) if (!exempt) violation(message);
  return verdicts.filter(({ exempt }) => exempt).map(({ message }) => message);
};

const policies: Policies = [
  {
    name: "inputs",
    description: "Records every resource that the engine registers, for the other policies.",
    // Only remediations are told which inputs are secret, and they run before all validations of a resource.
    enforcementLevel: "remediate",
    remediateResource: async (args) => {
      (await stackFor(args.urn)).see(resourceOf(args));
    },
  },
  ...rules.map((rule) => ({
    name: rule.name,
    description: rule.description,
    validateResource: async ({ urn }: { urn: string }, violation: ReportViolation) => {
      const known = await stackFor(urn);
      const resource = known.seen.get(urn);
      if (!resource) return;
      const exempt = report(rule, await rule.check(resource, known), known, violation);
      passed.set(urn, [...(passed.get(urn) ?? []), ...exempt]);
    },
  })),
  {
    name: "exemptions",
    description: "Lists the findings that exemptions allow.",
    enforcementLevel: "advisory",
    validateResource: ({ urn }, violation) => {
      for (const message of passed.get(urn) ?? []) violation(message);
      passed.delete(urn);
    },
  },
  ...rules.flatMap((rule) =>
    rule.finish
      ? [
          {
            name: `${rule.name}-of-all`,
            description: rule.description,
            validateStack: async (_: unknown, violation: ReportViolation) => {
              const known = await stack;
              if (known && rule.finish) report(rule, await rule.finish(known), known, violation);
            },
          },
        ]
      : [],
  ),
];

new PolicyPack("hearth", { policies, enforcementLevel: "mandatory" });

// The engine asks once what the policies are, and nothing more until its program has started, which takes longer than this.
setTimeout(() => {
  checkout.readAhead();
}, 40);
