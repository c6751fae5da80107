import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { ageRecipient } from "../components/secrets/age.ts";
import type { LabFolder } from "../lib/engine/lab-folder.ts";
import { Answers } from "../lib/tree/answers.ts";
import { availableCharts } from "../lib/tree/charts.ts";
import { renderTree } from "../lib/tree/render.ts";
import { definitionFiles } from "../lib/tree/schemas.ts";
import { requiredVersion } from "../toolchain/gomod.ts";
import { projects } from "../toolchain/projects.ts";
import { labAgeIdentity } from "../lib/secrets/lab-identity.ts";
import { deriveStack, type StackConfig } from "./derive.ts";
import { labTree, type LabTree, type ServableChart } from "./tree.ts";

/** A cluster's tree as the lab runs it, with the files of the custom resource definitions that it creates. */
export type ReadTree = LabTree & { definitions: string[] };

/** The tree of a cluster without Flux. */
export const noTree: ReadTree = {
  charts: [],
  stopped: [],
  unchecked: [],
  kinds: [],
  brought: [],
  policies: [],
  definitions: [],
};

/** Projects whose definitions every cluster of the lab has: Cilium's operator is simulated. */
const alwaysThere = ["cilium"];

/** Renders a cluster's tree and works out what of it the lab can run. What was rendered is kept in the lab's folder. */
export const readLabTree = async ({ root, stack, path }: LabFolder, committed: StackConfig): Promise<ReadTree> => {
  // The committed addresses may not be valid in a cluster, so the lab's are used.
  const facts = { stack, knownHosts: "known once the Git server runs", recipient: await ageRecipient(labAgeIdentity) };
  const file = { settings: deriveStack(committed, facts), problems: [] };
  const answers = new Answers(join(path, "rendered"), 4);
  const [rendered, charts] = await Promise.all([renderTree(root, stack, { file, answers }), servableCharts(root)]);
  const tree = labTree(rendered, charts);
  const there = [...alwaysThere, ...tree.brought];
  const created = projects.map(({ name }) => name).filter((name) => !there.includes(name));
  return { ...tree, definitions: [...(await definitionFiles(created)).values()].flat() };
};

/** The charts that the lab can serve: those of Go modules, and flux-operator's. */
const servableCharts = async (root: string): Promise<ServableChart[]> => {
  const charts = await availableCharts(root);
  return [...charts.map((chart) => ({ ...chart, isServed: chart.name === "cilium" })), await fluxOperator(root)];
};

/** The registry builds this chart from the operator's own manifests. See lab/internal/registry. */
const fluxOperator = async (root: string): Promise<ServableChart> => {
  const module = "github.com/controlplaneio-fluxcd/flux-operator";
  const goMod = await readFile(join(root, "go.mod"), "utf8");
  const version = requiredVersion(goMod, module).replace(/^v/, "");
  const flags = { hasWebhook: false, isOnlyChecked: false, isServed: true };
  return { name: "flux-operator", folder: "", with: {}, version, ...flags, project: "flux" };
};
