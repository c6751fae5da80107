import type { Kubernetes } from "../cluster/kubernetes.ts";
import type { Lease, LeaseStore } from "./lease.ts";

const folder = "/apis/coordination.k8s.io/v1/namespaces/kube-system/leases";
const name = "hearth-rollout";

interface LeaseObject {
  metadata: { resourceVersion: string };
  spec: { holderIdentity?: string; renewTime?: string };
}

/** Keeps the lease of rollouts in the cluster. The API refuses a change of another version than the present one. */
export const kubernetesLease = (kubernetes: Kubernetes): LeaseStore => ({
  get: async () => {
    const found = await kubernetes.get<LeaseObject>(`${folder}/${name}`);
    return (
      found && {
        holder: found.spec.holderIdentity ?? "",
        renewed: found.spec.renewTime ?? "",
        version: found.metadata.resourceVersion,
      }
    );
  },
  create: (lease) =>
    kubernetes.create(folder, {
      apiVersion: "coordination.k8s.io/v1",
      kind: "Lease",
      metadata: { name, namespace: "kube-system" },
      spec: specOf(lease),
    }),
  replace: (lease, version) =>
    kubernetes.merge(`${folder}/${name}`, { metadata: { resourceVersion: version }, spec: specOf(lease) }),
  delete: () => kubernetes.delete(`${folder}/${name}`),
});

/** Kubernetes writes these times with microseconds. */
const specOf = ({ holder, renewed }: Lease): object => ({
  holderIdentity: holder,
  renewTime: renewed.replace("Z", "000Z"),
  leaseDurationSeconds: 60,
});
