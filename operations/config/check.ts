import { existsSync } from "node:fs";
import { join } from "node:path";

import { checkStacks } from "../../infra/config/checks/across.ts";
import { count, format, stackFile, type ConfigurationProblem } from "../../infra/config/error.ts";
import type { HearthConfig } from "../../infra/config/schema.ts";
import type { Session } from "./session.ts";
import { examineStacks, requireStacks, validStacks } from "./stacks.ts";

/** Says what is wrong with stack files, each by itself and against all others. */
export const check = ({ folder, print, complain }: Session, wanted: string[]): number => {
  const examined = examineStacks(folder);
  requireStacks(wanted, [...examined.keys()]);
  // The stacks that are asked for come last, so that a collision is told as theirs.
  const order = [...validStacks(examined)].sort(([a], [b]) => Number(wanted.includes(a)) - Number(wanted.includes(b)));
  const across = checkStacks(order);
  let bad = false;
  for (const [stack, { config, problems, warnings, undeployable }] of examined) {
    if (wanted.length > 0 && !wanted.includes(stack)) continue;
    const all = [...problems, ...(across[stack] ?? []), ...(config ? treeIsThere(folder, config) : [])];
    if (all.length > 0) complain(format(stackFile(stack), all));
    if (warnings.length > 0) complain(format(stackFile(stack), warnings, "warning"));
    if (undeployable.length > 0) complain(format(stackFile(stack), undeployable, "gap"));
    if (all.length === 0 && config) {
      const yet = undeployable.length > 0 ? ", but cannot be deployed yet" : "";
      print(`${stackFile(stack)} is valid${yet}: ${summary(Object.values(config.nodes))}`);
    }
    bad ||= all.length > 0 || undeployable.length > 0;
  }
  return bad ? 1 : 0;
};

/** The program reads the cluster's tree from the same checkout. */
const treeIsThere = (folder: string, { gitops }: HearthConfig): ConfigurationProblem[] =>
  existsSync(join(folder, gitops.path))
    ? []
    : [
        {
          path: ["gitops", "path"],
          problem: `${gitops.path} is not a folder of this checkout`,
          advice: "make it, as that of another cluster is made, or correct the path",
        },
      ];

const summary = (nodes: { role: string }[]): string => {
  const controlPlanes = nodes.filter(({ role }) => role === "controlplane").length;
  const workers = nodes.length - controlPlanes;
  return [count(controlPlanes, "control plane"), ...(workers > 0 ? [count(workers, "worker")] : [])].join(", ");
};
