import { at, groupOf, textAt } from "../../../infra/tree-objects.ts";
import type { Finding } from "../render.ts";
import { labelsAt, matches } from "../policies.ts";
import { called, everything, findingAt, type Rule, type Tree, type TreeObject } from "./rule.ts";

/**
 * Workloads that serve with several pods, all of which a drain may take at once, and budgets that let no pod go, so that a drain never ends.
 *
 * What charts run several times without a Service, such as an operator that elects a leader, does not serve.
 */
export const budgets: Rule = (tree) => {
  const all = everything(tree);
  const budgetsOfAll = all.filter((each) => groupOf(each) === "policy" && each.kind === "PodDisruptionBudget");
  const services = all.filter(({ kind, apiVersion }) => kind === "Service" && apiVersion === "v1");
  return all.filter(isWorkload).flatMap((workload): Finding[] => {
    const own = budgetsOfAll.filter((budget) => selects(at(budget.object, "spec", "selector"), budget, workload));
    const replicas = Number(at(workload.object, "spec", "replicas") ?? 1);
    const stuck = own
      .filter((budget) => letsNoneGo(budget, replicas))
      .flatMap((budget) => stops(tree, budget, workload));
    if (replicas < 2 || own.length > 0) return stuck;
    const isServed = services.some((service) =>
      selects({ matchLabels: at(service.object, "spec", "selector") ?? { "": "" } }, service, workload),
    );
    if (workload.release !== undefined && !isServed) return stuck;
    return [
      findingAt(tree, workload, {
        path: ["spec", "replicas"],
        message: `${called(workload)} has ${replicas.toString()} pods, and no PodDisruptionBudget: a drain may take all of them at once`,
        advice: "add one beside it with maxUnavailable: 1, or turn its chart's on",
      }),
    ];
  });
};

const isWorkload = (object: TreeObject): boolean =>
  groupOf(object) === "apps" && ["Deployment", "StatefulSet"].includes(object.kind);

const selects = (selector: unknown, { namespace }: TreeObject, workload: TreeObject): boolean =>
  namespace === workload.namespace &&
  selector !== undefined &&
  matches(selector, labelsAt(workload.object, "spec", "template", "metadata", "labels"));

/** Whether a budget never allows an eviction while all pods are healthy. */
const letsNoneGo = ({ object }: TreeObject, replicas: number): boolean => {
  const [least, most] = [at(object, "spec", "minAvailable"), at(object, "spec", "maxUnavailable")];
  const asText = (path: string) => textAt(object, "spec", path);
  if (asText("minAvailable") === "100%" || asText("maxUnavailable") === "0%") return replicas > 0;
  return replicas > 0 && (most === 0 || (typeof least === "number" && least >= replicas));
};

const stops = (tree: Tree, budget: TreeObject, workload: TreeObject): Finding[] => [
  findingAt(tree, budget, {
    path: ["spec"],
    message: `${called(budget)} lets no pod of ${called(workload)} go: a drain of its machine never ends`,
    advice: "write maxUnavailable: 1",
  }),
];
