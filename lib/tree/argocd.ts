import { textAt, treeObject } from "../../infra/tree-objects.ts";
import { entryFolder, plainFacts } from "../../infra/facts.ts";
import type { HearthConfig } from "../../infra/config/index.ts";
import { missingEntry } from "../../infra/tree.ts";
import { encryptedFiles } from "../../infra/tree-walk.ts";
import type { KubernetesObject } from "./created.ts";
import type { RenderedCluster } from "./render.ts";
import { Sources } from "./sources.ts";

/**
 * What can be said of a cluster that Argo CD keeps: what KSOPS decrypts for it. Argo CD renders everything else, and nothing here does.
 *
 * @param checkout root of a checkout of the repository
 */
export const encryptedTree = (checkout: string, config: HearthConfig): RenderedCluster => {
  const sources = new Sources(checkout);
  const folder = entryFolder(config.gitops);
  const missing = missingEntry(config, checkout);
  return {
    config,
    created: [],
    kustomizations: [],
    objects: encryptedFiles(checkout, folder, plainFacts(config)).flatMap((file) =>
      sources.contentsOf(file).map((content) => ({
        ...treeObject(content),
        kustomization: folder,
        file,
        encrypted: textAt(content, "sops", "mac") !== undefined,
        object: content as KubernetesObject,
      })),
    ),
    findings: missing ? [missing] : [],
  };
};
