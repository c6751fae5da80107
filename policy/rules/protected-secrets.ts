import { resourceTypes } from "../../components/resource-types.ts";
import type { Rule } from "../rule.ts";

/** What is lost with each kind of resource. */
const roots: Record<string, string> = {
  [resourceTypes.machineSecrets]: "every machine and every certificate of the cluster hangs on it",
  [resourceTypes.password]: "the age identity, the deploy key and the tunnel are made of such seeds",
  [resourceTypes.tunnel]: "all that it answers for goes dark",
};

/** Root secrets and tunnels cannot be deleted by a slip. */
export const protectedSecrets: Rule = {
  name: "protected-secrets",
  description: "Talos secrets, seeds and tunnels are protected.",
  check: ({ type, name, protect }) => {
    const loss = roots[type];
    if (loss === undefined || protect) return [];
    return [
      {
        problem: `${name} is not protected, and ${loss}`,
        advice: "give it the option protect: true where it is made",
        subject: name,
      },
    ];
  },
};
