import { at, chartOf, groupOf, isRelease, listAt, textAt } from "../../../infra/tree-objects.ts";
import { everything, identity, type Tree, type TreeObject } from "./rule.ts";

/** What a controller creates for an object, by kind and name. The namespace is the object's own. */
type Makes = (object: unknown, name: string) => [kind: string, ...names: string[]][];

/** What controllers create for objects of a kind. Each says where that is written. */
const makers: Record<string, Makes> = {
  "cert-manager.io/Certificate": (object) => [["Secret", textAt(object, "spec", "secretName") ?? ""]],
  // cert-manager, with enableGatewayAPI: a Certificate for each listener.
  "gateway.networking.k8s.io/Gateway": (object) => (isIssued(object) ? [["Secret", ...certificatesOf(object)]] : []),
  // cloudnative-pg v1.30, api/v1/cluster_funcs.go: GetApplicationSecretName and others.
  "postgresql.cnpg.io/Cluster": (_, name) => [
    ["Secret", `${name}-app`, `${name}-ca`, `${name}-server`, `${name}-replication`],
    ["Service", `${name}-rw`, `${name}-ro`, `${name}-r`],
    ["ServiceAccount", name],
  ],
  // siderolabs/talos v1.13, pkg/kubernetes/kubeaccess/serviceaccount/crd_controller.go.
  "talos.dev/ServiceAccount": (_, name) => [["Secret", name]],
  "external-secrets.io/ExternalSecret": (object, name) => [
    ["Secret", textAt(object, "spec", "target", "name") ?? name],
  ],
  // rook v1.20.6, pkg/operator/ceph/csi/secrets.go and operator_config.go; cluster/mon/mon.go.
  "ceph.rook.io/CephCluster": () => [
    ["Secret", "rook-csi-rbd-provisioner", "rook-csi-rbd-node", "rook-csi-cephfs-provisioner", "rook-csi-cephfs-node"],
    ["Secret", "rook-ceph-mon"],
    ["ConfigMap", "rook-ceph-mon-endpoints"],
    ["ConfigMap", "rook-csi-operator-image-set-configmap"],
  ],
  // ceph-csi-operator v1.0.4, internal/controller/driver_controller.go, reconcileK8sCsiDriver.
  "csi.ceph.io/Driver": (_, name) => [["CSIDriver", name]],
  "piraeus.io/LinstorCluster": () => [["CSIDriver", "linstor.csi.linbit.com"]],
  "monitoring.coreos.com/Prometheus": () => [["Service", "prometheus-operated"]],
  "monitoring.coreos.com/Alertmanager": () => [["Service", "alertmanager-operated"]],
};

/** What a chart creates by its values, for where it cannot be had. */
const chartMakers: Record<string, Makes> = {
  // democratic-csi/charts, templates/driver.yaml and storage-classes.yaml.
  "democratic-csi": (release) => [
    ["CSIDriver", textAt(release, "spec", "values", "csiDriver", "name") ?? ""],
    ["StorageClass", ...namesAt(release, "spec", "values", "storageClasses")],
    ["VolumeSnapshotClass", ...namesAt(release, "spec", "values", "volumeSnapshotClasses")],
  ],
};

/** Kinds that belong to no namespace, among those that makers create. */
const clusterWide = ["CSIDriver", "StorageClass", "VolumeSnapshotClass"];

/** What every cluster or every namespace has. */
const given =
  /^(ServiceAccount [^/]*\/default|ConfigMap [^/]*\/kube-root-ca\.crt|PriorityClass system-(node|cluster)-critical)$/;

/** Whether there is an object of that identity once everything is applied. */
export type Has = (identity: string) => boolean;

/** Finds objects that the tree or a release has, that a controller creates, or that a release may create that is not rendered. */
export const madeBy = (tree: Tree): Has => {
  const created = tree.created.map(({ kind, metadata }) => `${kind} ${metadata.namespace ?? ""}/${metadata.name}`);
  const all = everything(tree);
  const known = new Set([...created, ...all.flatMap((object) => [identity(object), ...makesOf(tree, object)])]);
  const unknown = new Set(
    tree.unrendered.map(({ object, namespace }) => textAt(object, "spec", "targetNamespace") ?? namespace ?? ""),
  );
  return (asked) => known.has(asked) || given.test(asked) || unknown.has(/^\S+ ([^/]*)\//.exec(asked)?.[1] ?? "none");
};

const makesOf = (tree: Tree, object: TreeObject): string[] => {
  const makes = isRelease(object)
    ? chartMakers[chartOf(tree.objects, object).name]
    : makers[`${groupOf(object)}/${object.kind}`];
  return (makes?.(object.object, object.name) ?? []).flatMap(([kind, ...names]) =>
    names.map((name) => `${kind} ${clusterWide.includes(kind) ? "" : `${object.namespace ?? ""}/`}${name}`),
  );
};

const isIssued = (gateway: unknown): boolean =>
  ["cert-manager.io/cluster-issuer", "cert-manager.io/issuer"].some(
    (annotation) => at(gateway, "metadata", "annotations", annotation) !== undefined,
  );

/** Names of the Secrets of a Gateway's listeners. */
export const certificatesOf = (gateway: unknown): string[] =>
  listAt(gateway, "spec", "listeners").flatMap((listener) =>
    listAt(listener, "tls", "certificateRefs").map((each) => textAt(each, "name") ?? ""),
  );

const namesAt = (object: unknown, ...path: string[]): string[] =>
  listAt(object, ...path).map((each) => textAt(each, "name") ?? "");
