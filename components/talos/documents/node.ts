import { taintOf } from "../taints.ts";
import { unlessEmpty } from "./document.ts";

/** What Kubernetes knows of a machine. */
export interface NodeSettings {
  labels: Record<string, string>;
  annotations: Record<string, string>;
  /** By key, `value:Effect` or `Effect`. @example { dedicated: "storage:NoSchedule" } */
  taints: Record<string, string>;
}

/** Who signs the certificate that a kubelet serves with: itself, or the cluster's authority. */
export type KubeletCertificates = "self" | "cluster";

/** How the cluster treats a node. */
export interface NodePlace {
  /** Subnets of the node's addresses, one of each family. */
  subnets: string[];
  isControlPlane: boolean;
  /** Whether it is a control plane that runs workloads. */
  carriesTraffic: boolean;
  /** @default "self" */
  kubeletCertificates?: KubeletCertificates | undefined;
}

/**
 * Renders the parts of the machine section that configure the Kubernetes node.
 *
 * With `serverTLSBootstrap`, the kubelet requests a certificate, and serves nothing until somebody approves the request.
 *
 * Talos sets labels and taints of a worker with the kubelet's own rights. The API server lets a kubelet set taints when it registers,
 * never later, and a refused update loses the labels too. So a worker registers with its taints.
 * Source: siderolabs/talos v1.13.9, internal/app/machined/pkg/controllers/k8s/node_apply.go and kubelet_spec.go; Kubernetes v1.36.4,
 * plugin/pkg/admission/noderestriction.
 */
export const nodeSection = (
  { labels, annotations, taints }: NodeSettings,
  { subnets, isControlPlane, carriesTraffic, kubeletCertificates }: NodePlace,
) => ({
  kubelet: {
    // A machine may have further networks, such as one for storage. The node's addresses are in these.
    nodeIP: { validSubnets: subnets },
    ...unlessEmpty("extraConfig", {
      ...(kubeletCertificates === "cluster" && { serverTLSBootstrap: true }),
      ...(!isControlPlane &&
        Object.keys(taints).length > 0 && {
          registerWithTaints: Object.entries(taints).map(([key, taint]) => taintOf(key, taint)),
        }),
    }),
  },
  ...unlessEmpty("nodeLabels", { ...labels, ...(carriesTraffic && withoutExclusion) }),
  ...unlessEmpty("nodeAnnotations", annotations),
  ...(isControlPlane && unlessEmpty("nodeTaints", taints)),
});

/** Talos excludes control planes from load balancers. Those that run workloads have to be included. */
const withoutExclusion = { "node.kubernetes.io/exclude-from-external-load-balancers": { $patch: "delete" } };
