import { groupOf, listAt, textAt } from "../../../infra/tree-objects.ts";
import type { Finding } from "../render.ts";
import { called, everything, findingAt, type Rule, type Tree, type TreeObject } from "./rule.ts";

/** Kinds whose operators take their time to make what others wait for, or fail to. */
const slow = [
  "ceph.rook.io/CephBlockPool",
  "ceph.rook.io/CephCluster",
  "ceph.rook.io/CephFilesystem",
  "fluxcd.controlplane.io/FluxInstance",
  "gateway.networking.k8s.io/Gateway",
  "kubevirt.io/KubeVirt",
  "piraeus.io/LinstorCluster",
  "postgresql.cnpg.io/Cluster",
  "talos.dev/ServiceAccount",
];

/**
 * Objects that Flux would take for ready before they work, so that what depends on them begins too early and nobody sees that they fail.
 *
 * An object without conditions counts as ready, and one that was just applied has none. Source: fluxcd/cli-utils v1.2.0,
 * pkg/kstatus/status/status.go, Compute. A release is ready once its own objects are, not what an operator makes of them.
 */
export const working: Rule = (tree) =>
  everything(tree).flatMap((object) => [...withoutExpression(tree, object), ...withoutPods(tree, object)]);

const withoutExpression = (tree: Tree, object: TreeObject): Finding[] => {
  const kind = `${groupOf(object)}/${object.kind}`;
  const isAsked = listAt(specOf(tree, object), "healthCheckExprs").some(
    (each) => `${groupOf({ apiVersion: textAt(each, "apiVersion") ?? "" })}/${textAt(each, "kind") ?? ""}` === kind,
  );
  if (!slow.includes(kind) || isAsked) return [];
  return [
    findingAt(tree, object, {
      message: `${called(object)}: Flux takes it for ready as soon as it is applied, whether it works or not`,
      advice: `give the Kustomization ${object.kustomization} an entry in healthCheckExprs for ${kind}`,
    }),
  ];
};

/**
 * A driver of Ceph whose pods nobody waits for: nothing says of the object itself whether they run.
 *
 * Source: ceph-csi-operator v1.0.4, internal/controller/driver_controller.go.
 */
const withoutPods = (tree: Tree, object: TreeObject): Finding[] => {
  if (`${groupOf(object)}/${object.kind}` !== "csi.ceph.io/Driver") return [];
  const named = listAt(specOf(tree, object), "healthChecks").map(
    (each) => `${textAt(each, "kind") ?? ""} ${textAt(each, "name") ?? ""}`,
  );
  return [`Deployment ${object.name}-ctrlplugin`, `DaemonSet ${object.name}-nodeplugin`]
    .filter((pods) => !named.includes(pods))
    .map((pods) =>
      findingAt(tree, object, {
        message: `${called(object)}: nothing waits for its ${pods}, without which no volume is mounted`,
        advice: `name it in the healthChecks of the Kustomization ${object.kustomization}, with the label hearth.dev/health: named`,
      }),
    );
};

/** The spec of the Kustomization that applies an object. */
const specOf = ({ kustomizations }: Tree, { kustomization }: TreeObject): unknown =>
  kustomizations.find(({ name }) => name === kustomization)?.object.spec;
