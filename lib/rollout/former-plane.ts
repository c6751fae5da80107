import type { KubernetesObject } from "../cluster/kubernetes.ts";

/** What Talos calls both its label and its taint of a control plane. */
const plane = "node-role.kubernetes.io/control-plane";

/** Annotations in which Talos keeps what it wrote to a node. Source: siderolabs/talos v1.13.9, pkg/machinery/constants/constants.go. */
const ownedLabels = "talos.dev/owned-labels";
const owned = [ownedLabels, "talos.dev/owned-annotations", "talos.dev/owned-taints"];

/**
 * The patch that takes from a worker's node what Talos gave it while it was a control plane; undefined if there is nothing of it.
 *
 * As a worker, Talos acts as the node itself. It must neither take taints off nor some labels, and as long as it wants to, it writes nothing
 * else either. So what it knows as its own is taken from it: labels that the worker is to have come again, and taints are the program's.
 *
 * Source: siderolabs/talos v1.13.9, getK8sClient and syncOnce of internal/app/machined/pkg/controllers/k8s/node_apply.go; kubernetes v1.36.4,
 * plugin/pkg/admission/noderestriction/admission.go, admitNode.
 */
export const formerPlane = ({ metadata, spec }: KubernetesObject) => {
  const { labels = {}, annotations = {} } = metadata;
  if (!(plane in labels)) return undefined;
  const taints = (spec?.taints ?? []) as { key: string }[];
  const gone = [plane, ...namesIn(annotations[ownedLabels])];
  return {
    metadata: { labels: withoutValues(gone), annotations: withoutValues(owned) },
    spec: { taints: taints.filter(({ key }) => key !== plane) },
  };
};

const namesIn = (list: string | undefined): string[] => (list === undefined ? [] : (JSON.parse(list) as string[]));

const withoutValues = (names: readonly string[]) => Object.fromEntries(names.map((name) => [name, null]));
