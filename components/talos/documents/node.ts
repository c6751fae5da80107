import { unlessEmpty } from "./document.ts";

/** What Kubernetes sees of a machine. */
export interface NodeSettings {
  labels: Record<string, string>;
  annotations: Record<string, string>;
  /** By key, `value:Effect` or `Effect`. @example { dedicated: "storage:NoSchedule" } */
  taints: Record<string, string>;
}

/** The parts of the machine section that become the Kubernetes node. */
export const nodeSection = (
  { labels, annotations, taints }: NodeSettings,
  subnet: string,
  carriesTraffic: boolean,
) => ({
  // A machine may have further networks, such as one for storage: its node is in this one.
  kubelet: { nodeIP: { validSubnets: [subnet] } },
  ...unlessEmpty("nodeLabels", { ...labels, ...(carriesTraffic && withoutExclusion) }),
  ...unlessEmpty("nodeAnnotations", annotations),
  ...unlessEmpty("nodeTaints", taints),
});

/** Talos keeps load balancers away from control planes; one that runs workloads answers for them too. */
const withoutExclusion = { "node.kubernetes.io/exclude-from-external-load-balancers": { $patch: "delete" } };
