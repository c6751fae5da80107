import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";

import { parseAllDocuments } from "yaml";

import { substitute } from "../components/gitops/substitute.ts";
import type { ChartRelease } from "../components/helm/install-once.ts";
import { ciliumProblems } from "../components/network/cilium-values.ts";
import type { EncryptedFile } from "../components/secrets/age.ts";
import { ciliumNeeds } from "./cilium-needs.ts";
import { format } from "./config/error.ts";
import type { HearthConfig } from "./config/index.ts";
import { entryFolder, plainFacts } from "./facts.ts";
import { at, chartOf, textAt, treeObject } from "./tree-objects.ts";
import { parseFile, TreeError } from "./tree-error.ts";
import { ciliumFolder, fluxOperatorFolder } from "./tree-releases.ts";
import { encryptedFiles } from "./tree-walk.ts";

/** What the program reads from the GitOps tree, so that versions and values are written once. */
export interface Tree {
  cilium: ChartRelease;
  fluxOperator: ChartRelease;
  argoCd: ChartRelease;
  /** The encrypted files that the cluster's GitOps engine decrypts. */
  encryptedFiles: EncryptedFile[];
}

export { TreeError } from "./tree-error.ts";

/** The checkout that the program is in. */
export const repositoryRoot = join(import.meta.dirname, "..");

/** The chart of Argo CD's applications, which all environments share. */
export const argoChart = "gitops/argocd";

/**
 * Reads the tree of one cluster.
 *
 * @param root folder of the checkout
 * @throws TreeError that names the file and what is wrong in it
 */
export const readTree = (config: HearthConfig, root = repositoryRoot): Tree => {
  const facts = plainFacts(config);
  const read = (file: string): string => filled(root, file, facts);
  return {
    cilium: suitable(chartRelease(ciliumFolder, read), config),
    fluxOperator: chartRelease(fluxOperatorFolder, read),
    argoCd: (parseFile(read(`${argoChart}/values.yaml`), `${argoChart}/values.yaml`) as { argoCd: ChartRelease })
      .argoCd,
    encryptedFiles: encryptedFiles(root, requireEntry(config, root), facts).map((path) => ({
      path,
      dataKeys: dataKeys(readFileSync(join(root, path), "utf8")),
    })),
  };
};

/** What is wrong where Argo CD has nothing to apply: without it, no encrypted file would be found, and none compared. */
export const missingEntry = (
  { gitops }: HearthConfig,
  root: string,
): { file: string; message: string; advice: string } | undefined => {
  const file = `${entryFolder(gitops)}/kustomization.yaml`;
  return gitops.engine !== "argocd" || existsSync(join(root, file))
    ? undefined
    : {
        file,
        message: "is missing: Argo CD applies it",
        advice:
          "name the environment's folder in hearth:gitops.path, such as gitops/clusters/dev, and copy its argocd from there",
      };
};

const requireEntry = (config: HearthConfig, root: string): string => {
  const missing = missingEntry(config, root);
  if (missing) throw new TreeError(`${missing.file} ${missing.message}; ${missing.advice}`);
  return entryFolder(config.gitops);
};

/** Returns a file's text with its variables substituted. */
const filled = (root: string, file: string, facts: Record<string, string>): string => {
  try {
    return substitute(readFileSync(join(root, file), "utf8"), facts);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") {
      throw new TreeError(`${file} is missing: the program reads from it what to install before Git can`);
    }
    throw new TreeError(
      `${file} ${(error as Error).message}; the program knows ${Object.keys(facts).join(", ")} so early`,
    );
  }
};

/** The release that a folder holds, with its chart as Flux finds it. */
const chartRelease = (folder: string, read: (file: string) => string): ChartRelease => {
  const objectOf = (file: string) => treeObject(parseFile(read(file), file));
  const files = { source: `${folder}/ocirepository.yaml`, release: `${folder}/helmrelease.yaml` };
  const release = objectOf(files.release);
  const { source, version } = chartOf([objectOf(files.source)], release);
  const chart = textAt(source?.object, "spec", "url");
  if (chart === undefined) {
    throw new TreeError(
      `${files.release} asks for a chart that is not the one of ${files.source}: name it in chartRef`,
    );
  }
  if (version === "") throw new TreeError(`${files.source} says no version: write it under spec.ref.tag`);
  return { chart, version, values: (at(release.object, "spec", "values") ?? {}) as ChartRelease["values"] };
};

/** Returns Cilium's release, unless its values would leave the cluster without a network. */
const suitable = (cilium: ChartRelease, config: HearthConfig): ChartRelease => {
  const problems = ciliumProblems(cilium.values, ciliumNeeds(config));
  if (problems.length === 0) return cilium;
  throw new TreeError(
    format(
      `${ciliumFolder}/helmrelease.yaml`,
      problems.map((problem) => ({ ...problem, path: ["spec", "values", ...problem.path] })),
    ),
  );
};

interface SopsDocument {
  sops?: { age?: { enc: string }[] };
}

/** Returns the data keys of a SOPS file. Source: getsops/sops, stores, the `sops` metadata. */
export const dataKeys = (text: string): string[] =>
  parseAllDocuments(text).flatMap((document) =>
    ((document.toJS() as SopsDocument | null)?.sops?.age ?? []).map(({ enc }) => enc),
  );
