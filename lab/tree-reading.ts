import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { ageRecipient } from "../components/secrets/age.ts";
import { availableCharts } from "../lib/tree/charts.ts";
import { renderTree } from "../lib/tree/render.ts";
import { definitionFiles } from "../lib/tree/schemas.ts";
import { requiredVersion } from "../toolchain/gomod.ts";
import { projects } from "../toolchain/projects.ts";
import { labAgeIdentity } from "../lib/secrets/lab-identity.ts";
import { deriveStack, type StackConfig } from "./derive.ts";
import { labTree, type LabTree, type ServableChart } from "./tree.ts";

/** A cluster's tree as the lab has it, with the files of the definitions that it creates. */
export type ReadTree = LabTree & { definitions: string[] };

/** The tree of a cluster that Flux does not keep. */
export const noTree: ReadTree = {
  ...{ charts: [], stopped: [], unchecked: [], kinds: [], brought: [], policies: [], definitions: [] },
};

/** Projects whose definitions come to the lab's clusters by themselves: Cilium's operator is simulated. */
const alwaysThere = ["cilium"];

/** Renders a cluster's tree and works out what the lab can run of it. */
export const readLabTree = async (root: string, stack: string, committed: StackConfig): Promise<ReadTree> => {
  // The lab's addresses, for those of a committed configuration may be none that a cluster could have.
  const facts = { stack, knownHosts: "known once the Git server runs", recipient: await ageRecipient(labAgeIdentity) };
  const file = { settings: deriveStack(committed, facts), problems: [] };
  const tree = labTree(await renderTree(root, stack, file), await servableCharts(root));
  const there = [...alwaysThere, ...tree.brought];
  const created = projects.map(({ name }) => name).filter((name) => !there.includes(name));
  return { ...tree, definitions: [...(await definitionFiles(created)).values()].flat() };
};

/** The charts that the lab can serve: those of modules, and the one that its registry makes itself. */
const servableCharts = async (root: string): Promise<ServableChart[]> => {
  const charts = await availableCharts(root);
  return [...charts.map((chart) => ({ ...chart, isServed: chart.name === "cilium" })), await fluxOperator(root)];
};

/** The registry makes it from the operator's own manifests; see lab/internal/registry. */
const fluxOperator = async (root: string): Promise<ServableChart> => {
  const module = "github.com/controlplaneio-fluxcd/flux-operator";
  const goMod = await readFile(join(root, "go.mod"), "utf8");
  const version = requiredVersion(goMod, module).replace(/^v/, "");
  return { name: "flux-operator", folder: "", with: {}, version, hasWebhook: false, isServed: true, project: "flux" };
};
