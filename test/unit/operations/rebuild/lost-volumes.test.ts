import { expect } from "chai";

import type { KubernetesObject } from "../../../../lib/cluster/kubernetes.ts";
import { lostVolumes, type Inventory } from "../../../../operations/rebuild/lost-volumes.ts";

const begun = "2026-11-27T12:00:00.000Z";

const object = (
  name: string,
  change: Partial<KubernetesObject> & { at?: string; labels?: Record<string, string> } = {},
) => {
  const { at = "2026-11-01T00:00:00Z", labels = {}, ...rest } = change;
  return { metadata: { name, namespace: "notes", creationTimestamp: at, labels }, ...rest };
};

const volume = (name: string, driver: string, at?: string): KubernetesObject => {
  const { metadata, ...rest } = object(name, { spec: { csi: { driver } }, ...(at !== undefined && { at }) });
  return { metadata: { name: metadata.name, creationTimestamp: metadata.creationTimestamp }, ...rest };
};

const inventory = (change: Partial<Inventory> = {}): Inventory => ({
  ...{ pods: [], claims: [], volumes: [], snapshots: [], snapshotContents: [], restores: [], databases: [], ceph: [] },
  ...change,
});

const ceph = "rook-ceph.rbd.csi.ceph.com";
const nas = "org.democratic-csi.nfs";
const claim = object("notes", {
  spec: { volumeName: "pvc-1", dataSourceRef: { kind: "ReplicationDestination", name: "notes" } },
});

describe("lostVolumes", () => {
  it("are claims on the machines' disks, with what uses and fills them before them", () => {
    const pod = object("notes-0", { spec: { volumes: [{ persistentVolumeClaim: { claimName: "notes" } }] } });
    const found = lostVolumes(
      inventory({ pods: [pod], claims: [claim], volumes: [volume("pvc-1", ceph)], restores: [object("notes")] }),
      begun,
    );
    expect(found).to.deep.equal({
      claims: ["notes/notes"],
      paths: [
        "/apis/volsync.backube/v1alpha1/namespaces/notes/replicationdestinations/notes",
        "/api/v1/namespaces/notes/persistentvolumeclaims/notes",
        "/api/v1/namespaces/notes/pods/notes-0",
        "/api/v1/persistentvolumes/pvc-1",
      ],
    });
  });

  it("are none of those on a NAS, nor what uses them", () => {
    const pod = object("notes-0", { spec: { volumes: [{ persistentVolumeClaim: { claimName: "notes" } }] } });
    const found = lostVolumes(
      inventory({ pods: [pod], claims: [claim], volumes: [volume("pvc-1", nas)], restores: [object("notes")] }),
      begun,
    );
    expect(found).to.deep.equal({ claims: [], paths: [] });
  });

  it("are none that the rebuild itself has made, so that it may be done again", () => {
    const young = { ...claim, metadata: { ...claim.metadata, creationTimestamp: "2026-11-27T12:03:00Z" } };
    const made = inventory({ claims: [young], volumes: [volume("pvc-1", ceph, "2026-11-27T12:03:00Z")] });
    expect(lostVolumes(made, begun).paths).to.deep.equal([]);
  });

  it("take the database with them whose claims they are, and no other", () => {
    const of = (name: string) =>
      object(`${name}-1`, { labels: { "cnpg.io/cluster": name }, spec: { volumeName: name } });
    const found = lostVolumes(
      inventory({
        claims: [of("burnt"), of("kept")],
        volumes: [volume("burnt", ceph), volume("kept", nas)],
        databases: [object("burnt"), object("kept")],
      }),
      begun,
    );
    expect(found.paths[0]).to.equal("/apis/postgresql.cnpg.io/v1/namespaces/notes/clusters/burnt");
    expect(found.paths.join()).not.to.contain("kept");
  });

  it("take their snapshots with them, and the restores that offer one", () => {
    const content = { ...volume("content-1", ceph), spec: { driver: ceph } };
    const snapshot = object("notes-dest", { status: { boundVolumeSnapshotContentName: "content-1" } });
    const offering = object("other", { status: { latestImage: { name: "notes-dest" } } });
    const found = lostVolumes(
      inventory({ snapshots: [snapshot], snapshotContents: [content], restores: [offering] }),
      begun,
    );
    expect(found.paths).to.deep.equal([
      "/apis/volsync.backube/v1alpha1/namespaces/notes/replicationdestinations/other",
      "/apis/snapshot.storage.k8s.io/v1/namespaces/notes/volumesnapshots/notes-dest",
      "/apis/snapshot.storage.k8s.io/v1/volumesnapshotcontents/content-1",
    ]);
  });

  it("take Ceph with them, and what Rook would look for its monitors by", () => {
    const cluster = { ...object("rook-ceph"), metadata: { ...object("rook-ceph").metadata, namespace: "rook-ceph" } };
    const found = lostVolumes(
      inventory({ ceph: [{ path: "/apis/ceph.rook.io/v1/cephclusters", items: [cluster] }] }),
      begun,
    );
    expect(found.paths).to.deep.equal([
      "/apis/ceph.rook.io/v1/namespaces/rook-ceph/cephclusters/rook-ceph",
      "/api/v1/namespaces/rook-ceph/configmaps/rook-ceph-mon-endpoints",
      "/api/v1/namespaces/rook-ceph/secrets/rook-ceph-mon",
    ]);
  });
});
