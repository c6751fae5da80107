import { readFileSync } from "node:fs";
import { join } from "node:path";

import { parse } from "yaml";

import { at, textAt } from "./tree-objects.ts";

/** Folders of the releases that the program installs before Git can. */
export const ciliumFolder = "gitops/infrastructure/network/cilium/app";
export const fluxOperatorFolder = "gitops/infrastructure/flux/flux-operator/app";

/** What the tree says of releases, as far as it can be read without its variables. */
export interface WrittenReleases {
  /** Empty if it is not written. */
  cilium: { version: string; values: Record<string, unknown> | undefined };
  fluxOperator: { version: string };
}

/** Reads the releases of a tree as they are written. What is missing, the program reports. */
export const writtenReleases = (root: string): WrittenReleases => ({
  cilium: {
    version: versionIn(root, ciliumFolder),
    values: at(read(root, `${ciliumFolder}/helmrelease.yaml`), "spec", "values") as Record<string, unknown> | undefined,
  },
  fluxOperator: { version: versionIn(root, fluxOperatorFolder) },
});

const versionIn = (root: string, folder: string): string =>
  textAt(read(root, `${folder}/ocirepository.yaml`), "spec", "ref", "tag") ?? "";

const read = (root: string, file: string): unknown => {
  try {
    return parse(readFileSync(join(root, file), "utf8"));
  } catch {
    return undefined;
  }
};
