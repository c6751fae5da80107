import { at, chartOf, textAt } from "../../../infra/tree-objects.ts";
import { projects } from "../../../toolchain/projects.ts";
import { reaches } from "./graph.ts";
import { called, everything, findingAt, type Rule, type Tree, type TreeObject } from "./rule.ts";

/** Custom resources that are applied before their definition, or without it. A chart's own definitions come before all else of it. */
export const definitionsInTime: Rule = (tree) =>
  everything(tree).flatMap((object) => {
    const bringers = bringersOf(tree, object);
    if (bringers === undefined || bringers.some((each) => isRelease(each, object.release))) return [];
    if (bringers.some((bringer) => comesFirst(tree, bringer, object))) return [];
    const [bringer] = bringers;
    return findingAt(tree, object, {
      path: ["kind"],
      message:
        bringer === undefined
          ? `${called(object)}: nothing in this cluster brings its definition`
          : `${called(object)} needs the definition that ${called(bringer)} brings, and may be applied before it`,
      advice:
        bringer === undefined
          ? `turn on what brings ${object.apiVersion}, in the cluster's kustomization.yaml`
          : bringer.kustomization === object.kustomization
            ? "put it into a Kustomization of its own that depends on this one, which waits for its release"
            : `let ${object.kustomization} depend on ${bringer.kustomization}, which has to wait (wait: true)`,
    });
  });

const isRelease = ({ name, namespace }: TreeObject, release: TreeObject["release"]): boolean =>
  release?.name === name && release.namespace === namespace;

/** What brings an object's definition; undefined where that is there before Flux is. */
const bringersOf = (tree: Tree, { checked, object }: TreeObject): TreeObject[] | undefined => {
  const { source } = checked;
  if (source === "the tree") return tree.objects.filter((each) => defines(each, object));
  const charts = projects.find(({ name }) => name === source)?.broughtBy ?? [];
  if (charts.length === 0) return undefined;
  return tree.objects.filter(
    (each) => each.kind === "HelmRelease" && charts.includes(chartOf(tree.objects, each).name),
  );
};

const defines = ({ kind, object: definition }: TreeObject, object: { apiVersion: string; kind: string }): boolean =>
  kind === "CustomResourceDefinition" &&
  textAt(definition, "spec", "names", "kind") === object.kind &&
  object.apiVersion.startsWith(`${textAt(definition, "spec", "group") ?? ""}/`);

const comesFirst = (tree: Tree, bringer: TreeObject, user: TreeObject): boolean => {
  // Within one Kustomization, Flux applies definitions first; what a release brings comes too late.
  if (bringer.kustomization === user.kustomization) return bringer.kind === "CustomResourceDefinition";
  const waits = tree.kustomizations.some(
    ({ name, object }) =>
      name === bringer.kustomization &&
      (at(object, "spec", "wait") === true || at(object, "spec", "healthChecks") !== undefined),
  );
  return waits && reaches(tree, user.kustomization, bringer.kustomization);
};
