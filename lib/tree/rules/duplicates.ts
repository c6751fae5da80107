import { groupOf } from "../../../infra/tree-objects.ts";
import { called, findingAt, type Rule } from "./rule.ts";

/** Objects that two Kustomizations apply would change hands for ever, and go when either of them goes. */
export const duplicates: Rule = (tree) => {
  const first = new Map<string, (typeof tree.objects)[number]>();
  return tree.objects.flatMap((object) => {
    const key = [groupOf(object), object.kind, object.namespace ?? "", object.name].join("/");
    const other = first.get(key);
    if (other === undefined) {
      first.set(key, object);
      return [];
    }
    const place = `${other.file}${other.line === undefined ? "" : `:${other.line.toString()}`}`;
    return findingAt(tree, object, {
      message: `${called(object)} is also at ${place}: ${object.kustomization} and ${other.kustomization} would both own it`,
      advice: "leave it in one of them, and let the other depend on that one",
    });
  });
};
