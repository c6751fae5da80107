import { expect } from "chai";

import { kubernetesLease } from "../../../../lib/cluster/kubernetes-lease.ts";
import type { Kubernetes } from "../../../../lib/cluster/kubernetes.ts";

const lease = {
  holder: "4711 99 laptop boot pid:[1] token",
  acquired: "2027-01-01T10:20:30.000Z",
  renewed: "2027-01-01T10:21:30.000Z",
  duration: 0.5,
};

const path = "/apis/coordination.k8s.io/v1/namespaces/kube-system/leases";

describe("a lease in the cluster", () => {
  /** An API that has a Lease, and notes what it is sent. */
  const api = (found: object | undefined) => {
    const sent: unknown[] = [];
    const note = (...what: unknown[]) => Promise.resolve(void sent.push(what));
    return {
      sent,
      kubernetes: { get: () => Promise.resolve(found), create: note, merge: note } as unknown as Kubernetes,
    };
  };

  it("is written with times of microseconds and a duration of whole seconds, and replaced by its version", async () => {
    const { sent, kubernetes } = api(undefined);
    const store = kubernetesLease(kubernetes, "hearth-rollout");
    await store.create(lease);
    await store.replace({ ...lease, holder: "" }, "42");
    const spec = {
      holderIdentity: lease.holder,
      acquireTime: "2027-01-01T10:20:30.000000Z",
      renewTime: "2027-01-01T10:21:30.000000Z",
      leaseDurationSeconds: 1,
    };
    const metadata = { name: "hearth-rollout", namespace: "kube-system" };
    expect(sent).to.deep.equal([
      [path, { apiVersion: "coordination.k8s.io/v1", kind: "Lease", metadata, spec }],
      [`${path}/hearth-rollout`, { metadata: { resourceVersion: "42" }, spec: { ...spec, holderIdentity: "" } }],
    ]);
  });

  it("of an older release is read, which wrote less", async () => {
    const spec = { holderIdentity: "laptop 4711 token", renewTime: lease.renewed };
    const { kubernetes } = api({ metadata: { resourceVersion: "7" }, spec });
    expect(await kubernetesLease(kubernetes, "hearth-rollout").get()).to.deep.equal({
      ...{ holder: "laptop 4711 token", acquired: "", renewed: lease.renewed, duration: 60, version: "7" },
    });
    expect(await kubernetesLease(api(undefined).kubernetes, "hearth-rollout").get()).to.equal(undefined);
  });
});
