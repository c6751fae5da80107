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
import { Problem } from "../../toolchain/problem.ts";
import type { NamedImage } from "../../lib/tree/images.ts";
import { checkTree, checkTreeWithOptions, type CheckedTree } from "../gitops/check.ts";
import { examineStacks, validStacks } from "./stacks.ts";
import { unlistedSystems } from "./unlisted.ts";

interface CheckFlags {
  tree?: boolean | undefined;
  charts?: boolean | undefined;
  update?: boolean | undefined;
}

/** Reports problems of stack files, each by itself and against all others, and on request problems of their clusters' trees. */
export const check = async (call: Call<CheckFlags>): Promise<number> => {
  const { root, stacks: wanted, print, complain } = call;
  const { charts: withCharts = false, update = false } = call.values;
  if (update && !withCharts) throw new Problem("--update records the digests of charts: give --charts with it");
  const charts = withCharts ? await publishedCharts(call) : undefined;
  const examined = examineStacks(root);
  // The requested stacks come last, so that a collision is reported as theirs.
  const order = [...validStacks(examined)].sort(([a], [b]) => Number(wanted.includes(a)) - Number(wanted.includes(b)));
  const across = checkStacks(order);
  const stacks: Record<string, object> = {};
  const images: NamedImage[] = [];
  let bad = false;
  let isWhole = wanted.length === 0;
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
    const isAsked = call.values.tree === true || withCharts;
    const tree = isAsked && all.length === 0 ? await checkTree(call, stack, charts?.find) : undefined;
    const options = charts && tree && (await checkTreeWithOptions(call, stack, tree, charts.find));
    const found = [tree, options].flatMap((each) => each ?? []);
    bad ||= found.some(({ findings }) => findings.length > 0);
    // What cannot be rendered names nothing.
    isWhole &&= tree !== undefined && found.every(({ findings }) => findings.length === 0);
    images.push(...found.flatMap((each) => each.images));
    stacks[stack] = {
      ...{ problems: all, warnings, undeployable },
      ...(tree && { tree: answered(tree) }),
      ...(options && { options: answered(options) }),
    };
  }
  const pulled = await charts?.report({ update, isWhole });
  const known =
    pulled && (await (await reportOfImages())(call, images, { update, isWhole: isWhole && !pulled.isPartial }));
  call.answer({ stacks, ...(pulled && { charts: pulled.charts }), ...(known && { images: known.images }) });
  if (bad || pulled?.hasMoved === true || known?.isBad === true) return 1;
  return pulled?.isPartial === true ? 2 : 0;
};

/** The renderer takes longer to load than stack files take to check. */
const publishedCharts = async (call: Call) => (await import("../gitops/charts.ts")).PublishedCharts.of(call);
const reportOfImages = async () => (await import("../gitops/images.ts")).reportImages;

const answered = ({ findings, withoutSchema, withoutChart }: CheckedTree) => ({
  findings,
  withoutSchema,
  withoutChart,
});

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
