import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

import type { ConfigurationProblem } from "../../infra/config/error.ts";
import type { HearthConfig } from "../../infra/config/schema.ts";

/**
 * Warns of systems and apps of the tree that an environment's list says nothing of, not even in a comment. A release that brings one does not
 * change the lists of those who merge it.
 */
export const unlistedSystems = (root: string, { gitops }: HearthConfig): ConfigurationProblem[] => {
  const list = join(gitops.path, "kustomization.yaml");
  if (gitops.engine !== "flux" || !existsSync(join(root, list))) return [];
  const missing = unlisted(readFileSync(join(root, list), "utf8"), systemsIn(root));
  return missing.map((system) => ({
    path: ["gitops", "path"],
    problem: `${gitops.path} says nothing of ${system}, which the tree has`,
    advice: `add the line ../../${system}/flux.yaml to ${list}, or the same as a comment if the cluster is not to have it`,
    warning: true,
  }));
};

/** The systems that a list has no line for. */
export const unlisted = (list: string, systems: readonly string[]): string[] =>
  systems.filter((system) => !list.includes(`/${system}/flux.yaml`));

/** Folders of systems and apps, from `gitops`. */
const systemsIn = (root: string): string[] => {
  const inFolder = (folder: string): string[] =>
    existsSync(join(root, "gitops", folder))
      ? readdirSync(join(root, "gitops", folder), { withFileTypes: true })
          .filter((entry) => entry.isDirectory())
          .map(({ name }) => `${folder}/${name}`)
      : [];
  return [...inFolder("infrastructure").flatMap(inFolder), ...inFolder("apps")]
    .filter((system) => existsSync(join(root, "gitops", system, "flux.yaml")))
    .sort();
};
