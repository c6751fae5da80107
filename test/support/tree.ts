import { parseAllDocuments } from "yaml";

import type { HearthConfig } from "../../infra/config/index.ts";
import { isRelease, treeObject } from "../../infra/tree-objects.ts";
import { isFluxKustomization, type Rule, type Tree } from "../../lib/tree/rules/rule.ts";
import { configOf } from "./doctor.ts";

/** What a rule finds of manifests, on a stack; releases count as those whose charts cannot be had. */
export const foundOf = (
  rule: Rule,
  manifests: string,
  change: (config: HearthConfig) => void = () => undefined,
  stack: "dev" | "prod" = "dev",
): string[] => {
  const config = configOf(stack);
  change(config);
  const objects = parseAllDocuments(manifests).map((document) => ({
    ...treeObject(document.toJS()),
    ...{
      file: "tree.yaml",
      kustomization: "flux-system/all",
      encrypted: false,
      checked: { namespaced: true, errors: [] },
    },
  }));
  const tree = {
    config,
    objects,
    kustomizations: objects
      .filter(isFluxKustomization)
      .map(({ name, namespace = "", file, object }) => ({ name: `${namespace}/${name}`, file, object })),
    created: [],
    released: [],
    unrendered: objects.filter(isRelease),
    sources: { lineOf: () => undefined },
  };
  return rule(tree as unknown as Tree).map(({ message }) => message);
};
