import type { KubernetesObject } from "../../lib/cluster/kubernetes.ts";

/** The objects of a cluster that concern volumes, by the path of their list below `/apis/` or `/api/`. */
export type Inventory = Record<keyof typeof lists, KubernetesObject[]> & {
  ceph: { path: string; items: KubernetesObject[] }[];
};

/** The lists to read. */
export const lists = {
  pods: "/api/v1/pods",
  claims: "/api/v1/persistentvolumeclaims",
  volumes: "/api/v1/persistentvolumes",
  snapshots: "/apis/snapshot.storage.k8s.io/v1/volumesnapshots",
  snapshotContents: "/apis/snapshot.storage.k8s.io/v1/volumesnapshotcontents",
  restores: "/apis/volsync.backube/v1alpha1/replicationdestinations",
  databases: "/apis/postgresql.cnpg.io/v1/clusters",
} as const;

/**
 * CSI drivers that store data on the cluster's own machines: Rook's, which are named after its namespace, and LINSTOR's. Drivers
 * of a NAS store it elsewhere.
 */
export const onMachines = /^(rook-ceph\.(rbd|cephfs)\.csi\.ceph\.com|linstor\.csi\.linbit\.com)$/;

/** Rook's record of a Ceph cluster outside its own kinds. With it Rook would look for monitors that are gone. */
const cephKeeps = ["configmaps/rook-ceph-mon-endpoints", "secrets/rook-ceph-mon"];

/** Objects in a recovered etcd of volumes whose disks are gone. */
export interface LostVolumes {
  /** Lost claims, as `namespace/name`. */
  claims: string[];
  /** Paths of the objects to delete, in order: the users of a volume before the volume. */
  paths: string[];
}

/**
 * Finds the objects in a recovered etcd of volumes that were on lost machines.
 *
 * Such a claim stays bound to a volume that nothing can mount, and nothing restores it: a backup is restored only into a newly
 * created claim. The same holds for a database and a Ceph cluster.
 *
 * @param before when the rebuild began, in ISO 8601; the rebuild created everything younger
 */
export const lostVolumes = (inventory: Inventory, before: string): LostVolumes => {
  const isOld = ({ metadata }: KubernetesObject): boolean => (metadata.creationTimestamp ?? "") < before;
  const volumes = inventory.volumes.filter(isOld).filter((each) => onMachines.test(driverOf(each)));
  const names = new Set(volumes.map(({ metadata }) => metadata.name));
  const claims = inventory.claims.filter(isOld).filter(({ spec }) => names.has(String(spec?.volumeName)));
  const lost = new Set(claims.map(key));
  const contents = inventory.snapshotContents.filter(isOld).filter(({ spec }) => onMachines.test(String(spec?.driver)));
  const contentNames = new Set(contents.map(({ metadata }) => metadata.name));
  const snapshots = inventory.snapshots
    .filter(isOld)
    .filter(({ status }) => contentNames.has(String(status?.boundVolumeSnapshotContentName)));
  const snapshotKeys = new Set(snapshots.map(key));
  const restores = inventory.restores
    .filter(isOld)
    .filter((each) => snapshotKeys.has(imageOf(each)) || fills(each, claims));
  const databases = inventory.databases.filter(isOld).filter((each) => claims.some((claim) => isOf(claim, each)));
  const pods = inventory.pods.filter(isOld).filter((each) => claimsOf(each).some((claim) => lost.has(claim)));
  const ceph = inventory.ceph.flatMap(({ path, items }) => items.filter(isOld).map((each) => pathOf(path, each)));
  const cephNamespaces = new Set(inventory.ceph.flatMap(({ items }) => items.filter(isOld).map(namespaceOf)));
  return {
    claims: [...lost].sort(),
    paths: [
      ...databases.map((each) => pathOf(lists.databases, each)),
      ...restores.map((each) => pathOf(lists.restores, each)),
      ...snapshots.map((each) => pathOf(lists.snapshots, each)),
      ...contents.map((each) => pathOf(lists.snapshotContents, each)),
      ...claims.map((each) => pathOf(lists.claims, each)),
      ...pods.map((each) => pathOf(lists.pods, each)),
      ...volumes.map((each) => pathOf(lists.volumes, each)),
      ...ceph,
      ...[...cephNamespaces].flatMap((namespace) => cephKeeps.map((name) => `/api/v1/namespaces/${namespace}/${name}`)),
    ],
  };
};

const namespaceOf = ({ metadata }: KubernetesObject): string => metadata.namespace ?? "";

const key = (object: KubernetesObject): string => `${namespaceOf(object)}/${object.metadata.name}`;

/** The path of an object in a list of all namespaces. */
const pathOf = (list: string, { metadata: { name, namespace } }: KubernetesObject): string => {
  const at = list.lastIndexOf("/");
  return `${list.slice(0, at)}${namespace === undefined ? "" : `/namespaces/${namespace}`}${list.slice(at)}/${name}`;
};

/** The CSI driver of a volume. */
export const driverOf = ({ spec }: KubernetesObject): string =>
  String((spec?.csi as { driver?: string } | undefined)?.driver);

/** The snapshot from which a restore fills claims. */
const imageOf = (restore: KubernetesObject): string =>
  `${namespaceOf(restore)}/${String((restore.status?.latestImage as { name?: string } | undefined)?.name)}`;

/** Whether one of the claims is created from a restore. */
const fills = (restore: KubernetesObject, claims: readonly KubernetesObject[]): boolean =>
  claims.some((claim) => {
    const source = claim.spec?.dataSourceRef as { kind?: string; name?: string } | undefined;
    return (
      source?.kind === "ReplicationDestination" &&
      source.name === restore.metadata.name &&
      namespaceOf(claim) === namespaceOf(restore)
    );
  });

/** Whether a claim belongs to a database. */
const isOf = (claim: KubernetesObject, database: KubernetesObject): boolean =>
  namespaceOf(claim) === namespaceOf(database) && claim.metadata.labels?.["cnpg.io/cluster"] === database.metadata.name;

/** The claims that a pod mounts. */
const claimsOf = (pod: KubernetesObject): string[] =>
  ((pod.spec?.volumes ?? []) as { persistentVolumeClaim?: { claimName: string } }[]).flatMap(
    ({ persistentVolumeClaim: claim }) => (claim === undefined ? [] : [`${namespaceOf(pod)}/${claim.claimName}`]),
  );
