import { at, groupOf, listAt, textAt } from "../../../infra/tree-objects.ts";
import { fluxNamespace } from "../../../components/gitops/flux-instance.ts";
import type { Finding } from "../render.ts";
import { directDependencies, reaches } from "./graph.ts";
import { called, findingAt, isFluxKustomization, type Rule, type Tree, type TreeObject } from "./rule.ts";

/** Dependencies and sources that do not exist, and objects that wait for themselves. */
export const dependencies: Rule = (tree) =>
  tree.objects.flatMap((object) => [
    ...(isFluxKustomization(object) || isRelease(object) ? dangling(tree, object) : []),
    ...(isFluxKustomization(object) ? circles(tree, object) : []),
    ...(isRelease(object) ? withoutChart(tree, object) : []),
  ]);

const isRelease = (object: TreeObject): boolean =>
  object.kind === "HelmRelease" && groupOf(object) === "helm.toolkit.fluxcd.io";

const has = (tree: Tree, kind: string, namespace: string, name: string): boolean =>
  // The FluxInstance makes the repository's own source.
  (kind === "GitRepository" && namespace === fluxNamespace && name === fluxNamespace) ||
  tree.objects.some((each) => each.kind === kind && each.namespace === namespace && each.name === name);

const dangling = (tree: Tree, object: TreeObject): Finding[] =>
  listAt(object.object, "spec", "dependsOn").flatMap((each, index) => {
    const namespace = textAt(each, "namespace") ?? object.namespace ?? "";
    const name = textAt(each, "name") ?? "";
    if (has(tree, object.kind, namespace, name)) return [];
    return findingAt(tree, object, {
      path: ["spec", "dependsOn", index],
      message: `${called(object)} depends on ${object.kind} ${namespace}/${name}, which this cluster does not have`,
      advice: "turn that on in the cluster's kustomization.yaml, or take the dependency out",
    });
  });

const circles = (tree: Tree, object: TreeObject): Finding[] => {
  const name = `${object.namespace ?? ""}/${object.name}`;
  const own = tree.kustomizations.find((each) => each.name === name);
  const back = own === undefined ? [] : directDependencies(own).filter((each) => reaches(tree, each, name));
  return back.map((each) =>
    findingAt(tree, object, {
      path: ["spec", "dependsOn"],
      message: `${called(object)} waits for ${each}, which waits for it`,
      advice: "take one of the dependencies out",
    }),
  );
};

const withoutChart = (tree: Tree, object: TreeObject): Finding[] => {
  const path =
    at(object.object, "spec", "chartRef") === undefined ? ["spec", "chart", "spec", "sourceRef"] : ["spec", "chartRef"];
  const kind = textAt(object.object, ...path, "kind") ?? "";
  const name = textAt(object.object, ...path, "name") ?? "";
  const namespace = textAt(object.object, ...path, "namespace") ?? object.namespace ?? "";
  if (has(tree, kind, namespace, name)) return [];
  return [
    findingAt(tree, object, {
      path,
      message: `${called(object)} takes its chart from ${kind} ${namespace}/${name}, which this cluster does not have`,
      advice: "add it beside the release",
    }),
  ];
};
