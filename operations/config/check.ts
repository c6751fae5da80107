import { existsSync } from "node:fs";
import { join } from "node:path";

import { ciliumProblems } from "../../components/network/cilium-values.ts";
import { ciliumNeeds } from "../../infra/cilium-needs.ts";
import { checkStacks } from "../../infra/config/checks/across.ts";
import { count, format, stackFile, type ConfigurationProblem } from "../../infra/config/error.ts";
import { releaseProblems } from "../../infra/config/checks/releases.ts";
import type { HearthConfig } from "../../infra/config/schema.ts";
import { approverProblems } from "../../infra/kubelet-approver.ts";
import { ciliumFolder, writtenReleases } from "../../infra/tree-releases.ts";
import type { Call } from "../../lib/terminal/command.ts";
import { checkTree } from "../gitops/check.ts";
import { examineStacks, validStacks } from "./stacks.ts";
import { unlistedSystems } from "./unlisted.ts";

/** Reports problems of stack files, each by itself and against all others, and on request problems of their clusters' trees. */
export const check = async (call: Call<{ tree?: boolean | undefined }>): Promise<number> => {
  const { root, stacks: wanted, print, complain } = call;
  const examined = examineStacks(root);
  // The requested stacks come last, so that a collision is reported as theirs.
  const order = [...validStacks(examined)].sort(([a], [b]) => Number(wanted.includes(a)) - Number(wanted.includes(b)));
  const across = checkStacks(order);
  const stacks: Record<string, object> = {};
  let bad = false;
  for (const [stack, { config, problems, warnings: own, undeployable }] of examined) {
    if (wanted.length > 0 && !wanted.includes(stack)) continue;
    const others = [...(across[stack] ?? []), ...(config ? ofTree(root, config) : [])];
    const warnings = [...own, ...others.filter(({ warning }) => warning)];
    const all = [...problems, ...others.filter(({ warning }) => !warning)];
    if (all.length > 0) complain(format(stackFile(stack), all));
    if (warnings.length > 0) complain(format(stackFile(stack), warnings, "warning"));
    if (undeployable.length > 0) complain(format(stackFile(stack), undeployable, "gap"));
    if (all.length === 0 && config) {
      const yet = undeployable.length > 0 ? ", but cannot be deployed yet" : "";
      print(`${stackFile(stack)} is valid${yet}: ${summary(Object.values(config.nodes))}`);
    }
    bad ||= all.length > 0 || undeployable.length > 0;
    // Rendering is slow, and needs a valid configuration.
    const tree = call.values.tree === true && all.length === 0 ? await checkTree(call, stack) : undefined;
    bad ||= tree !== undefined && tree.findings.length > 0;
    stacks[stack] = { problems: all, warnings, undeployable, ...(tree && { tree }) };
  }
  call.answer({ stacks });
  return bad ? 1 : 0;
};

const ofTree = (root: string, config: HearthConfig): ConfigurationProblem[] => [
  ...treeIsThere(root, config),
  ...releasesAgree(root, config),
  ...approverProblems(config, root),
  ...unlistedSystems(root, config),
];

/** Compares the stack file with the releases of the tree. */
const releasesAgree = (root: string, config: HearthConfig): ConfigurationProblem[] => {
  const releases = writtenReleases(root);
  const { values } = releases.cilium;
  const links = values ? ciliumProblems(values, ciliumNeeds(config)) : [];
  return [
    ...releaseProblems(config, releases),
    ...links.map(({ path, problem, advice }) => ({
      path: ["gitops", "path"],
      problem: `leads to Cilium, whose value ${path.join(".")} ${problem}`,
      advice: `in ${ciliumFolder}/helmrelease.yaml, ${advice}`,
    })),
  ];
};

/** Checks that the cluster's tree exists: the program reads it from the same checkout. */
const treeIsThere = (root: string, { gitops }: HearthConfig): ConfigurationProblem[] =>
  existsSync(join(root, gitops.path))
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
