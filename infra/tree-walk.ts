import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { dirname, join, normalize } from "node:path";

import { parseAllDocuments } from "yaml";

import { parseFile } from "./tree-error.ts";

/** The fields of a kustomization.yaml that name files or folders. */
interface Kustomization {
  resources?: string[];
  components?: string[];
  generators?: string[];
}

interface Manifest {
  kind?: string;
  apiVersion?: string;
  spec?: {
    path?: string;
    /** Folders of components of a Flux Kustomization, relative to its path. */
    components?: string[];
  };
  /** Files that a KSOPS generator decrypts. */
  files?: string[];
}

/** Whether SOPS encrypts a file, by its name. SOPS's own configuration .sops.yaml has no name before the dot. */
export const isEncrypted = (file: string): boolean => /[^/]\.sops\.(ya?ml|json|env|ini)$/.test(file);

/**
 * Returns the encrypted files that a cluster reads: those of {@link treeFiles} that SOPS encrypts.
 *
 * @param path folder of the cluster's entry point, such as `gitops/clusters/dev`
 * @param facts values of the variables in the Kustomizations' paths
 */
export const encryptedFiles = (root: string, path: string, facts: Readonly<Record<string, string>>): string[] =>
  treeFiles(root, path, facts).filter(isEncrypted);

/**
 * Returns the files that a cluster reads: those of its own folder, and those of every folder that a Flux Kustomization or a KSOPS
 * generator in it refers to. The paths are sorted and relative to the root.
 */
export const treeFiles = (root: string, path: string, facts: Readonly<Record<string, string>>): string[] => {
  const seen = new Set<string>();
  const files = new Set<string>();
  const visit = (entry: string): void => {
    const target = normalize(entry).replace(/\/$/, "");
    if (seen.has(target) || !existsSync(join(root, target))) return;
    seen.add(target);
    if (statSync(join(root, target)).isDirectory()) {
      entriesOf(root, target).forEach(visit);
      return;
    }
    files.add(target);
    if (/\.ya?ml$/.test(target) && !isEncrypted(target)) ledTo(root, target, facts).forEach(visit);
  };
  visit(path);
  return [...files].sort();
};

/** Returns what a folder consists of: the entries of its kustomization.yaml and all encrypted files, or else all files. */
const entriesOf = (root: string, folder: string): string[] => {
  const all = readdirSync(join(root, folder));
  const named = all.includes("kustomization.yaml") ? entriesNamed(root, folder) : all;
  return [...named, ...all.filter(isEncrypted)].map((entry) => join(folder, entry));
};

const entriesNamed = (root: string, folder: string): string[] => {
  const file = join(folder, "kustomization.yaml");
  const text = readFileSync(join(root, file), "utf8");
  const { resources = [], components = [], generators = [] } = parseFile(text, file) as Kustomization;
  return [...resources, ...components, ...generators].filter((entry) => !entry.includes("://"));
};

/** What a file that refers to others has in its text. Parsing those alone saves most of the time that reading a tree takes. */
const refers = /kustomize\.toolkit\.fluxcd\.io\/|ksops/;

/** Returns the folders and files that a file refers to. A file that is not YAML, such as a chart's template, refers to none. */
const ledTo = (root: string, file: string, facts: Readonly<Record<string, string>>): string[] => {
  const text = readFileSync(join(root, file), "utf8");
  if (!refers.test(text)) return [];
  return parseAllDocuments(text, { logLevel: "silent" })
    .filter(({ errors }) => errors.length === 0)
    .map((document) => document.toJS() as Manifest | null)
    .flatMap((manifest) => {
      if (manifest?.kind === "ksops") return (manifest.files ?? []).map((each) => join(dirname(file), each));
      if (!manifest?.apiVersion?.startsWith("kustomize.toolkit.fluxcd.io/")) return [];
      const { path, components = [] } = manifest.spec ?? {};
      if (path === undefined) return [];
      return [path, ...components.map((component) => join(path, component))].map((each) => filled(each, facts));
    });
};

/** Substitutes the known variables in a path. */
const filled = (path: string, facts: Readonly<Record<string, string>>): string =>
  path.replace(/\$\{(\w+)\}/g, (whole, name: string) => facts[name] ?? whole);
