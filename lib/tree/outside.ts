import { posix } from "node:path";

import { parseAllDocuments } from "yaml";

import { at, listAt, textAt } from "../../infra/tree-objects.ts";

/** A kustomization's name, as kustomize looks for it. */
export const isKustomizationFile = (path: string): boolean =>
  ["kustomization.yaml", "kustomization.yml", "Kustomization"].includes(posix.basename(path));

/**
 * What a file of the tree lets kustomize take from outside of the repository.
 *
 * Kustomize runs git, or asks a server, for what is no path of a file. See its internal/git/repospec.go and
 * internal/loader/fileloader.go, api v0.21.1.
 *
 * @param file its path from the repository's root
 * @param exists whether the repository has such a file or folder
 */
export const outsideOf = (file: string, text: string, exists: (path: string) => boolean): string[] => {
  return parseAllDocuments(text, { merge: true, logLevel: "silent" }).flatMap((document) => {
    const content = document.errors.length > 0 ? undefined : lowered(document.toJS());
    // Flux's components count from the folder that it applies.
    const applied = isFlux(content) ? textAt(content, "spec", "path") : undefined;
    const folder = applied === undefined ? posix.dirname(file) : posix.join("/", applied).slice(1);
    return references(file, content).filter(
      (reference) => !isInline(reference) && !isInside(folder, reference, exists),
    );
  });
};

/** Whether a reference is a plain path inside the repository. */
const isInside = (folder: string, reference: string, exists: (path: string) => boolean): boolean => {
  if (/[:?\\\s]|\/\//.test(reference) || posix.isAbsolute(reference)) return false;
  const path = posix.join(folder, reference);
  if (path === ".." || path.startsWith("../")) return false;
  // What is missing is another mistake, unless kustomize may take it for a host.
  return exists(path.replace(/\/$/, "")) || !/^[^./][^/]*\.[^/]*\/|\.git\b/.test(reference);
};

/** Patches and transformers may stand in the list itself. */
const isInline = (reference: string): boolean => /^(---\s+)?(#.*\n)*\s*(apiVersion|kind|\$patch)\s*:\s/.test(reference);

const lists = [
  "resources",
  "components",
  "bases",
  "crds",
  "configurations",
  "transformers",
  "generators",
  "validators",
  "patchesstrategicmerge",
];
const listsOfPaths = ["patches", "patchesjson6902", "replacements"];
const generators = ["configmapgenerator", "secretgenerator"];

const isFlux = (content: unknown): boolean =>
  textAt(content, "apiversion")?.startsWith("kustomize.toolkit.fluxcd.io/") ?? false;

const references = (file: string, content: unknown): string[] => {
  const version = at(content, "apiversion");
  const group = typeof version === "string" ? version.split("/")[0] : undefined;
  if (isFlux(content)) return strings(listAt(content, "spec", "components"));
  if (!isKustomizationFile(file) && group !== "kustomize.config.k8s.io" && version !== "builtin") return [];
  return strings([
    ...lists.flatMap((list) => listAt(content, list)),
    ...listsOfPaths.flatMap((list) => listAt(content, list).map((entry) => at(entry, "path"))),
    at(content, "openapi", "path"),
    at(content, "path"),
    ...[content, ...generators.flatMap((list) => listAt(content, list))].flatMap((generator) => [
      ...listAt(generator, "files").map((entry) =>
        typeof entry === "string" ? entry.replace(/^[^=/:]+=/, "") : undefined,
      ),
      ...listAt(generator, "envs"),
      at(generator, "env"),
    ]),
  ]);
};

const strings = (values: unknown[]): string[] => values.filter((value) => typeof value === "string");

/** Go reads keys whatever their case. */
const lowered = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(lowered);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key.toLowerCase(), lowered(each)]));
};
