import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";

import { parse, parseAllDocuments } from "yaml";

import type { ChartRelease } from "../components/network/cilium.ts";
import type { EncryptedFile } from "../components/secrets/age.ts";

/** What the program reads from the GitOps tree, so that versions and values stand in one place. */
export interface Tree {
  cilium: ChartRelease;
  fluxOperator: ChartRelease;
  /** The encrypted files that this cluster's Flux will open. */
  encryptedFiles: EncryptedFile[];
}

const root = join(import.meta.dirname, "..");

/**
 * Reads the tree of one cluster.
 *
 * @param path folder of the cluster's entry point, such as `gitops/clusters/dev`
 */
export const readTree = (path: string): Tree => ({
  cilium: chartRelease("gitops/infrastructure/network/cilium"),
  fluxOperator: chartRelease("gitops/infrastructure/flux/flux-operator"),
  encryptedFiles: globSync(`${path}/**/*.sops.yaml`, { cwd: root })
    .sort()
    .map((file) => ({ path: file, dataKeys: dataKeys(readFileSync(join(root, file), "utf8")) })),
});

interface HelmRelease {
  spec: { values?: Record<string, unknown> };
}

interface OCIRepository {
  spec: { url: string; ref: { tag: string } };
}

const chartRelease = (folder: string): ChartRelease => {
  const read = (file: string): unknown => parse(readFileSync(join(root, folder, file), "utf8"));
  const { spec: repository } = read("ocirepository.yaml") as OCIRepository;
  const { spec: release } = read("helmrelease.yaml") as HelmRelease;
  return { chart: repository.url, version: repository.ref.tag, values: release.values ?? {} };
};

interface SopsDocument {
  sops?: { age?: { enc: string }[] };
}

/** The data keys of a SOPS file. Source: getsops/sops, stores, the `sops` metadata. */
const dataKeys = (text: string): string[] =>
  parseAllDocuments(text).flatMap((document) =>
    ((document.toJS() as SopsDocument | null)?.sops?.age ?? []).map(({ enc }) => enc),
  );
