import type { knownSystems } from "../../infra/config/rollout.ts";
import type { HealthCheck } from "./health-check.ts";

type System = (typeof knownSystems)[number];

/** Controllers that look once a minute say what was before, for as long. In milliseconds. */
const poll = 75_000;

const conditions = (...types: string[]): string =>
  `[${types.map((type) => `"${type}"`).join(", ")}].all(t, object.status.conditions.exists(c, c.type == t && c.status == "True"))`;

const notSuspended = "has(object.spec.suspend) && object.spec.suspend";

/**
 * What has to hold where a system is installed.
 *
 * - Rook v1.20.6, pkg/operator/ceph/cluster/cephstatus.go: once a minute the operator writes what `ceph status` says, and when it asked. A
 *   warning that is muted does not count.
 * - piraeus-operator v2.6.0, internal/controller/linstorcluster_controller.go and linstorsatellite_controller.go: each looks once a minute.
 * - CloudNativePG v1.30.0, internal/controller/cluster_controller.go: all instances are ready, and then the phase is PhaseHealthy
 *   (api/v1/cluster_types.go). Those of a cluster that hibernates are stopped on purpose.
 * - Flux's kustomize-controller v1 and helm-controller v2: the condition Ready. What is suspended reconciles nothing.
 */
export const systems: Record<System, HealthCheck[]> = {
  ceph: [
    {
      ...{ apiVersion: "ceph.rook.io/v1", kind: "CephCluster" },
      expression: 'object.status.ceph.health == "HEALTH_OK"',
      details: ["status", "ceph", "details"],
      settles: poll,
    },
    {
      ...{ apiVersion: "ceph.rook.io/v1", kind: "CephCluster" },
      expression: 'now - timestamp(object.status.ceph.lastChecked) < duration("5m")',
    },
  ],
  linstor: [
    {
      ...{ apiVersion: "piraeus.io/v1", kind: "LinstorCluster" },
      expression: conditions("Available", "Configured"),
      settles: poll,
    },
    {
      ...{ apiVersion: "piraeus.io/v1", kind: "LinstorSatellite" },
      expression: conditions("Available", "Configured"),
      settles: poll,
    },
  ],
  "cloudnative-pg": [
    {
      ...{ apiVersion: "postgresql.cnpg.io/v1", kind: "Cluster" },
      expression:
        'object.metadata.?annotations[?"cnpg.io/hibernation"].orValue("") == "on" || ' +
        '(object.status.readyInstances == object.spec.instances && object.status.phase == "Cluster in healthy state")',
    },
  ],
  flux: [
    {
      ...{ apiVersion: "kustomize.toolkit.fluxcd.io/v1", kind: "Kustomization" },
      expression: `${notSuspended} || ${conditions("Ready")}`,
    },
    {
      ...{ apiVersion: "helm.toolkit.fluxcd.io/v2", kind: "HelmRelease" },
      expression: `${notSuspended} || ${conditions("Ready")}`,
    },
  ],
};
