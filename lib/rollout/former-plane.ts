import type { KubernetesObject } from "../cluster/kubernetes.ts";

/** A node with its labels. */
export type LabelledNode = KubernetesObject & { metadata: { labels?: Record<string, string> } };

/** What Talos calls both its label and its taint of a control plane. */
const plane = "node-role.kubernetes.io/control-plane";

/**
 * The patch that takes from a worker's node what Talos gave it while it was a control plane; undefined if there is nothing of it. As a worker,
 * Talos must not do that itself.
 *
 * Source: siderolabs/talos v1.13.9, getK8sClient of internal/app/machined/pkg/controllers/k8s/node_apply.go; kubernetes v1.36.4,
 * plugin/pkg/admission/noderestriction/admission.go, admitNode.
 */
export const formerPlane = (node: LabelledNode | undefined): object | undefined => {
  if (node?.metadata.labels?.[plane] === undefined) return undefined;
  const taints = (node.spec?.taints ?? []) as { key: string }[];
  return { metadata: { labels: { [plane]: null } }, spec: { taints: taints.filter(({ key }) => key !== plane) } };
};
