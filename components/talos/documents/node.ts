import { unlessEmpty } from "./document.ts";

/** What Kubernetes knows of a machine. */
export interface NodeSettings {
  labels: Record<string, string>;
  annotations: Record<string, string>;
  /** By key, `value:Effect` or `Effect`. @example { dedicated: "storage:NoSchedule" } */
  taints: Record<string, string>;
}

/** Renders the parts of the machine section that configure the Kubernetes node. */
export const nodeSection = (
  { labels, annotations, taints }: NodeSettings,
  subnet: string,
  carriesTraffic: boolean,
) => ({
  // A machine may have further networks, such as one for storage. The node's address is in this one.
  kubelet: { nodeIP: { validSubnets: [subnet] } },
  ...unlessEmpty("nodeLabels", { ...labels, ...(carriesTraffic && withoutExclusion) }),
  ...unlessEmpty("nodeAnnotations", annotations),
  ...unlessEmpty("nodeTaints", taints),
});

/** Talos excludes control planes from load balancers. Those that run workloads have to be included. */
const withoutExclusion = { "node.kubernetes.io/exclude-from-external-load-balancers": { $patch: "delete" } };
