import { at, groupOf, isRelease, listAt } from "../../../infra/tree-objects.ts";
import { called, everything, findingAt, type Rule, type Tree, type TreeObject } from "./rule.ts";

const annotation = "storageclass.kubernetes.io/is-default-class";

/** Claims that name no class, in a cluster without a default one. They stay pending. What names a class is another rule's matter. */
export const claims: Rule = (tree) => {
  if (hasDefault(tree)) return [];
  return everything(tree).flatMap((object) =>
    claimsOf(object).some((claim) => claim === undefined)
      ? findingAt(tree, object, {
          message: `${called(object)}: a claim names no class, and the cluster has no default: it stays pending`,
          advice: `name a class, or annotate one with ${annotation}: "true"`,
        })
      : [],
  );
};

const hasDefault = (tree: Tree): boolean =>
  everything(tree).some(
    (object) =>
      (object.kind === "StorageClass" && at(object.object, "metadata", "annotations", annotation) === "true") ||
      (isRelease(object) &&
        listAt(object.object, "spec", "values", "storageClasses").some((each) => at(each, "defaultClass") === true)),
  );

/** The class of each claim that an object makes; undefined for one that leaves it out. An empty name asks for none. */
const claimsOf = (object: TreeObject): unknown[] => {
  const { kind, object: manifest } = object;
  if (kind === "PersistentVolumeClaim") {
    return at(manifest, "spec", "volumeName") === undefined ? [at(manifest, "spec", "storageClassName")] : [];
  }
  if (groupOf(object) === "postgresql.cnpg.io" && kind === "Cluster") {
    return at(manifest, "spec", "storage") === undefined ? [] : [at(manifest, "spec", "storage", "storageClass")];
  }
  if (kind !== "StatefulSet") return [];
  return listAt(manifest, "spec", "volumeClaimTemplates").map((claim) => at(claim, "spec", "storageClassName"));
};
