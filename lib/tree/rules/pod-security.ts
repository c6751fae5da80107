import { textAt } from "../../../infra/tree-objects.ts";
import { givenNamespaces } from "./namespaces.ts";
import { called, everything, findingAt, type Rule } from "./rule.ts";

const label = "pod-security.kubernetes.io/enforce";

/** Talos itself exempts it. */
const exempt = "kube-system";

/** Pods that the API server would refuse by the level of their namespace. Their workload is applied, and never has any. */
export const podSecurity: Rule = (tree) => {
  const all = everything(tree);
  const labelled = new Map(
    all
      .filter(({ kind, apiVersion }) => kind === "Namespace" && apiVersion === "v1")
      .map(({ name, object }) => [name, textAt(object, "metadata", "labels", label)]),
  );
  const { level: usual, exemptNamespaces } = tree.config.cluster.podSecurity;
  return all.flatMap((object) => {
    const { namespace = "", checked } = object;
    // What nothing makes is another rule's matter.
    if (!labelled.has(namespace) && !givenNamespaces.includes(namespace)) return [];
    if ([exempt, ...exemptNamespaces].includes(namespace)) return [];
    const level = labelled.get(namespace) ?? usual;
    return (checked.forbidden?.[level] ?? []).map((what) =>
      findingAt(tree, object, {
        message: `${called(object)}: its pods are refused in ${namespace}, which enforces ${level}: ${what}`,
        advice: `change the pod's securityContext, or the namespace's label ${label}`,
      }),
    );
  });
};
