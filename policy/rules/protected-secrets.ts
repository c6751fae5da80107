import { resourceTypes } from "../../components/resource-types.ts";
import type { Rule } from "../rule.ts";

/** What the loss of each type of resource causes. */
const roots: Record<string, string> = {
  [resourceTypes.machineSecrets]: "every machine and every certificate of the cluster depends on it",
  [resourceTypes.password]: "the age identity, the deploy key and the tunnel are derived from such seeds",
  [resourceTypes.tunnel]: "everything that it publishes becomes unreachable",
};

/** Prevents root secrets and tunnels from being deleted by accident. */
export const protectedSecrets: Rule = {
  name: "protected-secrets",
  description: "Talos secrets, seeds and tunnels are protected.",
  check: ({ type, name, protect }) => {
    const loss = roots[type];
    if (loss === undefined || protect) return [];
    return [
      {
        problem: `${name} is not protected, and ${loss}`,
        advice: "set the option protect: true where it is created",
        subject: name,
      },
    ];
  },
};
