import { cp, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { readStackFile } from "../../infra/config/stack-file.ts";
import { textAt } from "../../infra/tree-objects.ts";
import { checkCluster, describeFinding, rulesOfOptions, type Checked } from "./check.ts";
import { outsideOf } from "./outside.ts";
import type { FindChart } from "./releases.ts";
import { clusterConfig, type Finding } from "./render.ts";
import { followKustomization } from "./rules/outside.ts";
import { Sources } from "./sources.ts";

/** What is off in a cluster, and what would be there if all of it was on. */
export interface CheckedOptions {
  /** The files of what was turned on for the check, from the environment's folder. */
  options: string[];
  /** Those that cannot be turned on as they are, because they take something from outside of the repository. */
  skipped: string[];
  /** The cluster with the options on. Findings are those that it does not have without. Undefined where nothing is off. */
  checked?: Checked;
}

/** A line of an environment's list that is off. */
const off = /^( +)# - (\.\.\/\S+)$/gm;

/** The files that an environment's list names behind a `#`. */
export const optionsOf = (list: string): string[] => [...list.matchAll(off)].flatMap(([, , file]) => file ?? []);

/** The list with some of its options on. */
export const withOptions = (list: string, options: readonly string[]): string =>
  list.replaceAll(off, (line, indent: string, file: string) => (options.includes(file) ? `${indent}- ${file}` : line));

/**
 * Checks a cluster with everything on that its list has behind a `#`: otherwise whoever turns it on would find out what is wrong with it.
 * What a system asks of the stack's machines is not asked for it, as docs/guides/options.md says what each needs.
 *
 * @param known findings of the cluster as it is
 */
export const checkOptions = async (
  checkout: string,
  stack: string,
  known: readonly Finding[],
  find?: FindChart,
): Promise<CheckedOptions> => {
  const { gitops } = clusterConfig(readStackFile(checkout, stack), stack);
  const file = join(gitops.path, "kustomization.yaml");
  const sources = new Sources(checkout);
  const list = sources.textOf(file);
  const all = gitops.engine === "flux" ? optionsOf(list) : [];
  const skipped = all.filter((option) => takesFromOutside(sources, join(gitops.path, option)));
  const options = all.filter((option) => !skipped.includes(option));
  if (options.length === 0) return { options, skipped };
  const copy = await mkdtemp(join(tmpdir(), "hearth-options-"));
  try {
    const parts = new Set([gitops.path.split("/")[0] ?? "", "gitops", ".sops.yaml", `Pulumi.${stack}.yaml`]);
    for (const part of [...parts].filter((each) => sources.exists(each)))
      await cp(join(checkout, part), join(copy, part), { recursive: true });
    await writeFile(join(copy, file), withOptions(list, options));
    const checked = await checkCluster(copy, stack, find, rulesOfOptions);
    const before = new Set(known.map(describeFinding));
    const findings = checked.findings.filter((finding) => !before.has(describeFinding(finding)));
    return { options, skipped, checked: { ...checked, findings } };
  } finally {
    await rm(copy, { recursive: true, force: true });
  }
};

/** Whether Flux would build the option from more than the repository. */
const takesFromOutside = (sources: Sources, file: string): boolean => {
  const files = new Set([file]);
  for (const content of sources.contentsOf(file)) {
    const path = textAt(content, "spec", "path");
    if (path !== undefined) followKustomization(sources, join(path), files);
  }
  return [...files].some((each) => outsideOf(each, sources.textOf(each), (path) => sources.exists(path)).length > 0);
};
