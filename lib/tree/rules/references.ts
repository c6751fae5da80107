import { at, groupOf, listAt, textAt } from "../../../infra/tree-objects.ts";
import { containerLists, podSpecOf } from "./images.ts";
import { certificatesOf, madeBy } from "./made.ts";
import { called, everything, findingAt, type Rule, type TreeObject } from "./rule.ts";

/** Something that an object names. */
interface Reference {
  kind: string;
  name: string;
  /** Undefined for what the cluster has once. */
  namespace?: string;
  /** What depends on it, and what to do. */
  otherwise: string;
  advice: string;
}

/** Objects that name what nothing creates. They are applied, and wait or fail for ever. */
export const references: Rule = (tree) => {
  const has = madeBy(tree);
  return everything(tree).flatMap((object) =>
    referencesOf(object)
      .filter(({ kind, namespace, name }) => !has(`${kind} ${namespace === undefined ? "" : `${namespace}/`}${name}`))
      .map(({ kind, namespace, name, otherwise, advice }) =>
        findingAt(tree, object, {
          message: `${called(object)} names ${kind} ${namespace === undefined ? "" : `${namespace}/`}${name}, which nothing creates: ${otherwise}`,
          advice,
        }),
      ),
  );
};

const referencesOf = (object: TreeObject): Reference[] => {
  const own = named[`${groupOf(object)}/${object.kind}`]?.(object) ?? [];
  return [...own, ...(workloads.has(object.kind) ? ofPods(object) : [])];
};

const workloads = new Set(["Pod", "Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Job", "CronJob"]);

/** What pods of a workload need to start. */
const ofPods = (workload: TreeObject): Reference[] => {
  const spec = at(workload.object, ...podSpecOf(workload.kind));
  const containers = containerLists.flatMap((list) => listAt(spec, list));
  const environment = containers.flatMap((container) => [
    ...listAt(container, "env").flatMap((each) => [
      ["Secret", at(each, "valueFrom", "secretKeyRef")] as const,
      ["ConfigMap", at(each, "valueFrom", "configMapKeyRef")] as const,
    ]),
    ...listAt(container, "envFrom").flatMap((each) => [
      ["Secret", at(each, "secretRef")] as const,
      ["ConfigMap", at(each, "configMapRef")] as const,
    ]),
  ]);
  const volumes = listAt(spec, "volumes").flatMap((volume) =>
    [volume, ...listAt(volume, "projected", "sources")].flatMap((source) => [
      ["Secret", at(source, "secret"), "secretName"] as const,
      ["Secret", at(source, "secret"), "name"] as const,
      ["ConfigMap", at(source, "configMap"), "name"] as const,
      ["PersistentVolumeClaim", at(source, "persistentVolumeClaim"), "claimName"] as const,
    ]),
  );
  const needed = [...environment.map(([kind, source]) => [kind, source, "name"] as const), ...volumes].flatMap(
    ([kind, source, key]) => {
      const name = textAt(source, key);
      return name === undefined || at(source, "optional") === true ? [] : [{ kind, name }];
    },
  );
  const account = textAt(spec, "serviceAccountName");
  const claims = listAt(workload.object, "spec", "volumeClaimTemplates").flatMap((claim) =>
    ofClass(textAt(claim, "spec", "storageClassName")),
  );
  const accounts = account === undefined ? [] : [{ kind: "ServiceAccount", name: account }];
  const consequence = { otherwise: "its pods do not start", advice: "create it beside them, or correct the name" };
  return [...[...accounts, ...needed].map((each) => ({ ...each, ...inside(workload), ...consequence })), ...claims];
};

const inside = ({ namespace }: TreeObject): { namespace: string } => ({ namespace: namespace ?? "" });

/** A storage class. Without a name it is the default, and an empty name asks for none. */
const ofClass = (name: string | undefined, kind = "StorageClass"): Reference[] => {
  if (name === undefined || name === "") return [];
  const otherwise = kind === "StorageClass" ? "its claims stay pending" : "it takes no snapshots";
  return [
    { kind, name, otherwise, advice: "name a class that the cluster has, or turn on the storage that brings it" },
  ];
};

/** The driver of a class, and the Secrets in its parameters. */
const ofDriver = (object: unknown, driver: string | undefined): Reference[] => {
  const parameters = (at(object, "parameters") ?? {}) as Record<string, unknown>;
  const secrets = Object.keys(parameters).flatMap((key) => {
    const of = /^(csi\.storage\.k8s\.io\/.*-secret)-name$/.exec(key)?.[1];
    const name = textAt(parameters, key);
    return of === undefined || name === undefined
      ? []
      : [{ kind: "Secret", name, namespace: textAt(parameters, `${of}-namespace`) ?? "" }];
  });
  const otherwise = "no volume of the class can be created or mounted";
  return [
    ...(driver === undefined || driver.startsWith("kubernetes.io/") ? [] : [{ kind: "CSIDriver", name: driver }]),
    ...secrets,
  ].map((each) => ({ ...each, otherwise, advice: "install the driver, or correct the name" }));
};

/** The types of Ceph's drivers. Source: ceph-csi-operator v1.0.4, internal/controller/driver_controller.go. */
const cephDriver = /(?:^|\.)(rbd|cephfs|nfs|nvmeof)\.csi\.ceph\.com$/;

/** The texts under a key, wherever it is in values. */
const valuesAt = (values: unknown, key: string): string[] => {
  if (typeof values !== "object" || values === null) return [];
  return Object.entries(values).flatMap(([name, value]) =>
    name === key && typeof value === "string" ? [value] : valuesAt(value, key),
  );
};

/** What objects of a kind name, besides the pods of workloads. */
const named: Record<string, (object: TreeObject) => Reference[]> = {
  // Charts of operators take what they make claims of from their values.
  "helm.toolkit.fluxcd.io/HelmRelease": ({ object }) =>
    valuesAt(at(object, "spec", "values"), "storageClassName").flatMap((name) => ofClass(name)),
  "/PersistentVolumeClaim": ({ object }) => ofClass(textAt(object, "spec", "storageClassName")),
  "storage.k8s.io/StorageClass": ({ object }) => ofDriver(object, textAt(object, "provisioner")),
  "snapshot.storage.k8s.io/VolumeSnapshotClass": ({ object }) => ofDriver(object, textAt(object, "driver")),
  "postgresql.cnpg.io/Cluster": ({ object }) => ofClass(textAt(object, "spec", "storage", "storageClass")),
  "volsync.backube/ReplicationSource": (object) => ofVolsync(object),
  "volsync.backube/ReplicationDestination": (object) => ofVolsync(object),
  // The operator runs the plugins with these accounts, and creates none. Rook sets no prefix for the defaults.
  "csi.ceph.io/Driver": (driver) => {
    const type = cephDriver.exec(driver.name)?.[1] ?? "";
    return ["controllerPlugin", "nodePlugin"].map((plugin) => ({
      kind: "ServiceAccount",
      name:
        textAt(driver.object, "spec", plugin, "serviceAccountName") ??
        `${type}-${plugin === "nodePlugin" ? "nodeplugin" : "ctrlplugin"}-sa`,
      ...inside(driver),
      otherwise: "its pods do not start, and no volume is created or mounted",
      advice: "the chart ceph-csi-drivers brings the accounts with their permissions",
    }));
  },
  "gateway.networking.k8s.io/Gateway": (gateway) => {
    const issuer = textAt(gateway.object, "metadata", "annotations", "cert-manager.io/cluster-issuer");
    return [
      ...certificatesOf(gateway.object).map((name) => ({ kind: "Secret", name, ...inside(gateway) })),
      ...(issuer === undefined ? [] : [{ kind: "ClusterIssuer", name: issuer }]),
    ].map((each) => ({
      ...each,
      otherwise: "its listener has no certificate",
      advice: "create it, or correct the name",
    }));
  },
  "gateway.networking.k8s.io/HTTPRoute": (route) => [
    ...listAt(route.object, "spec", "parentRefs").map((parent) => ({
      kind: textAt(parent, "kind") ?? "Gateway",
      name: textAt(parent, "name") ?? "",
      namespace: textAt(parent, "namespace") ?? route.namespace ?? "",
      otherwise: "nothing reaches it",
      advice: "name a Gateway that the cluster has",
    })),
    ...listAt(route.object, "spec", "rules")
      .flatMap((rule) => [
        ...listAt(rule, "backendRefs"),
        ...listAt(rule, "filters").flatMap((filter) => at(filter, "externalAuth", "backendRef") ?? []),
      ])
      .map((backend) => ({
        kind: textAt(backend, "kind") ?? "Service",
        name: textAt(backend, "name") ?? "",
        namespace: textAt(backend, "namespace") ?? route.namespace ?? "",
        otherwise: "every request to it fails",
        advice: "name a Service that the cluster has",
      })),
  ],
  "cert-manager.io/Certificate": (certificate) => {
    const kind = textAt(certificate.object, "spec", "issuerRef", "kind") ?? "Issuer";
    return [
      {
        ...{ kind, name: textAt(certificate.object, "spec", "issuerRef", "name") ?? "" },
        ...(kind === "ClusterIssuer" ? {} : inside(certificate)),
        ...{ otherwise: "it is never issued", advice: "name an issuer that the cluster has" },
      },
    ];
  },
};

const ofVolsync = ({ object, namespace }: TreeObject): Reference[] => {
  const restic = at(object, "spec", "restic");
  const repository = textAt(restic, "repository");
  return [
    ...(repository === undefined
      ? []
      : [
          {
            ...{ kind: "Secret", name: repository, namespace: namespace ?? "" },
            ...{ otherwise: "it has no repository", advice: "create the Secret beside it" },
          },
        ]),
    ...["storageClassName", "cacheStorageClassName"].flatMap((key) => ofClass(textAt(restic, key))),
    ...ofClass(textAt(restic, "volumeSnapshotClassName"), "VolumeSnapshotClass"),
  ];
};
