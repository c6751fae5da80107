import { groupOf } from "../../../infra/tree-objects.ts";
import { withoutSchema } from "../../../toolchain/projects.ts";
import { called, everything, findingAt, type Rule, type TreeObject } from "./rule.ts";

/** What the API server would refuse, or leave out. Of charts, kinds that are not Kubernetes' own may be the chart's, and are not known. */
export const schemas: Rule = (tree) =>
  everything(tree).flatMap((object) => {
    const invalid = object.checked.errors.map(({ path, message }) =>
      findingAt(tree, object, {
        path: pathOf(path),
        message: `${called(object)}: ${path} ${message}`,
        advice: `write it as ${object.apiVersion} has it: kubectl explain ${object.kind.toLowerCase()}${path === "" ? "" : `.${path.replace(/\[[^\]]*\]/g, "")}`}`,
      }),
    );
    if (object.checked.source !== undefined || groupOf(object) in withoutSchema || isOfChart(object)) return invalid;
    return [
      ...invalid,
      findingAt(tree, object, {
        path: ["apiVersion"],
        message: `${called(object)}: no schema here has ${object.kind} in ${object.apiVersion}`,
        advice: "mend apiVersion or kind, or add its project to toolchain/projects.ts",
      }),
    ];
  });

const isOfChart = (object: TreeObject): boolean =>
  object.release !== undefined && groupOf(object).includes(".") && !groupOf(object).endsWith(".k8s.io");

/** `spec.ports[0].name`, or `metadata.labels[a.b/c]`, as a path. */
export const pathOf = (text: string): (string | number)[] =>
  [...text.matchAll(/\[([^\]]*)\]|([^.[\]]+)/g)].map(([, index, key]) => {
    if (key !== undefined) return key;
    return /^\d+$/.test(index ?? "") ? Number(index) : (index ?? "");
  });
