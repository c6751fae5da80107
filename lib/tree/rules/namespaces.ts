import { at, textAt } from "../../../infra/tree-objects.ts";
import { reaches } from "./graph.ts";
import { called, everything, findingAt, type Rule, type TreeObject } from "./rule.ts";

/** Namespaces that are there before the tree: Kubernetes' own, and the one that the program creates. */
export const givenNamespaces = ["default", "kube-system", "kube-public", "kube-node-lease", "flux-system"];

/** Objects without a namespace that need one, or in one that is not there when they are applied. */
export const namespaces: Rule = (tree) => {
  const makers = new Map<string, TreeObject>();
  for (const object of everything(tree)) {
    for (const name of namespacesOf(object)) if (!makers.has(name)) makers.set(name, object);
  }
  return everything(tree).flatMap((object) => {
    const { namespace, checked } = object;
    if (namespace === undefined) {
      if (!checked.namespaced) return [];
      return findingAt(tree, object, {
        path: ["metadata"],
        message: `${called(object)} has no namespace`,
        advice: "give it one, or its kustomization.yaml (namespace: …)",
      });
    }
    if ((!checked.namespaced && checked.source !== undefined) || givenNamespaces.includes(namespace)) return [];
    const maker = makers.get(namespace);
    if (maker !== undefined && reaches(tree, object.kustomization, maker.kustomization)) return [];
    return findingAt(tree, object, {
      path: ["metadata", "namespace"],
      message:
        maker === undefined
          ? `${called(object)}: nothing makes the namespace ${namespace}`
          : `${called(object)}: the namespace ${namespace} comes with ${maker.kustomization}, which need not be there yet`,
      advice:
        maker === undefined ? "add the namespace beside it" : `let ${object.kustomization} depend on it (dependsOn)`,
    });
  });
};

const namespacesOf = ({ kind, apiVersion, name, object }: TreeObject): string[] => {
  if (kind === "Namespace" && apiVersion === "v1") return [name];
  const isMade = kind === "HelmRelease" && at(object, "spec", "install", "createNamespace") === true;
  return isMade ? [textAt(object, "spec", "targetNamespace") ?? textAt(object, "metadata", "namespace") ?? ""] : [];
};
