import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { dirname, join, normalize } from "node:path";

import { parse, parseAllDocuments } from "yaml";

/** The parts of a kustomization.yaml that name files or folders. */
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
    /** Of a Kustomization of Flux: folders of components, relative to its path. */
    components?: string[];
  };
  /** Of a generator of KSOPS: the files that it decrypts. */
  files?: string[];
}

/** Whether a file is one that SOPS encrypts, by its name. SOPS's own rules, .sops.yaml, have no name before the dot. */
export const isEncrypted = (file: string): boolean => /[^/]\.sops\.(ya?ml|json|env|ini)$/.test(file);

/**
 * The encrypted files that a cluster reads: those of its own folder, and of every folder that a Kustomization of Flux found
 * there, or a generator of KSOPS, leads to. Sorted, relative to the root.
 *
 * @param path folder of the cluster's entry point, such as `gitops/clusters/dev`
 * @param facts what variables in the Kustomizations' paths stand for
 */
export const encryptedFiles = (root: string, path: string, facts: Readonly<Record<string, string>>): string[] => {
  const seen = new Set<string>();
  const encrypted = new Set<string>();
  const visit = (entry: string): void => {
    const place = normalize(entry).replace(/\/$/, "");
    if (seen.has(place) || !existsSync(join(root, place))) return;
    seen.add(place);
    if (statSync(join(root, place)).isDirectory()) entriesOf(root, place).forEach(visit);
    else if (isEncrypted(place)) encrypted.add(place);
    else if (/\.ya?ml$/.test(place)) ledTo(root, place, facts).forEach(visit);
  };
  visit(path);
  return [...encrypted].sort();
};

/** What a folder is made of: what its kustomization.yaml names and what lies encrypted beside it, or all that is in it. */
const entriesOf = (root: string, folder: string): string[] => {
  const all = readdirSync(join(root, folder));
  const named = all.includes("kustomization.yaml") ? entriesNamed(root, folder) : all;
  return [...named, ...all.filter(isEncrypted)].map((entry) => join(folder, entry));
};

const entriesNamed = (root: string, folder: string): string[] => {
  const text = readFileSync(join(root, folder, "kustomization.yaml"), "utf8");
  const { resources = [], components = [], generators = [] } = parse(text) as Kustomization;
  return [...resources, ...components, ...generators].filter((entry) => !entry.includes("://"));
};

/** The folders and files that a file leads to. What is no YAML, as a chart's template, leads nowhere. */
const ledTo = (root: string, file: string, facts: Readonly<Record<string, string>>): string[] =>
  parseAllDocuments(readFileSync(join(root, file), "utf8"), { logLevel: "silent" })
    .filter(({ errors }) => errors.length === 0)
    .map((document) => document.toJS() as Manifest | null)
    .flatMap((manifest) => {
      if (manifest?.kind === "ksops") return (manifest.files ?? []).map((each) => join(dirname(file), each));
      if (!manifest?.apiVersion?.startsWith("kustomize.toolkit.fluxcd.io/")) return [];
      const { path, components = [] } = manifest.spec ?? {};
      if (path === undefined) return [];
      return [path, ...components.map((component) => join(path, component))].map((place) => filled(place, facts));
    });

/** A path with its variables filled in, as far as they are known. */
const filled = (path: string, facts: Readonly<Record<string, string>>): string =>
  path.replace(/\$\{(\w+)\}/g, (whole, name: string) => facts[name] ?? whole);
