import type { Lease, LeaseStore } from "../engine/lease.ts";
import type { Kubernetes } from "./kubernetes.ts";

const folder = "/apis/coordination.k8s.io/v1/namespaces/kube-system/leases";

interface LeaseObject {
  metadata: { resourceVersion: string };
  spec: { holderIdentity?: string; acquireTime?: string; renewTime?: string; leaseDurationSeconds?: number };
}

/**
 * Keeps a lease in the cluster. The API refuses a change of another version than the present one.
 *
 * @param name of the Lease
 */
export const kubernetesLease = (kubernetes: Kubernetes, name: string): LeaseStore => ({
  name: `the Lease ${name} in kube-system`,
  get: async () => {
    const found = await kubernetes.get<LeaseObject>(`${folder}/${name}`);
    return (
      found && {
        holder: found.spec.holderIdentity ?? "",
        acquired: found.spec.acquireTime ?? "",
        renewed: found.spec.renewTime ?? "",
        duration: found.spec.leaseDurationSeconds ?? 60,
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
});

/** Kubernetes writes these times with microseconds, and takes whole seconds as a duration. */
const specOf = ({ holder, acquired, renewed, duration }: Lease): object => ({
  holderIdentity: holder,
  acquireTime: acquired.replace("Z", "000Z"),
  renewTime: renewed.replace("Z", "000Z"),
  leaseDurationSeconds: Math.ceil(duration),
});
