import type { ConfigurationProblem } from "../error.ts";
import { expressionProblem } from "../health-expression.ts";
import { advise } from "../nearest.ts";
import type { Check } from "./check.ts";

/** All kinds with a status or a use for health. Source: Kubernetes v1.36, staging/src/k8s.io/api, the types of each group. */
const ofKubernetes: Record<string, string[]> = {
  v1: [
    ...[
      "ConfigMap",
      "Endpoints",
      "Event",
      "LimitRange",
      "Namespace",
      "Node",
      "PersistentVolume",
      "PersistentVolumeClaim",
    ],
    ...["Pod", "PodTemplate", "ReplicationController", "ResourceQuota", "Service", "ServiceAccount"],
  ],
  "apps/v1": ["ControllerRevision", "DaemonSet", "Deployment", "ReplicaSet", "StatefulSet"],
  "batch/v1": ["CronJob", "Job"],
  "policy/v1": ["PodDisruptionBudget"],
};

/** What the known systems call their objects. They have further kinds. */
const ofSystems: Record<string, string[]> = {
  "ceph.rook.io/v1": ["CephCluster", "CephBlockPool", "CephFilesystem", "CephObjectStore"],
  "piraeus.io/v1": ["LinstorCluster", "LinstorSatellite"],
  "postgresql.cnpg.io/v1": ["Cluster", "Pooler"],
  "kustomize.toolkit.fluxcd.io/v1": ["Kustomization"],
  "helm.toolkit.fluxcd.io/v2": ["HelmRelease"],
};

const healthExpressions: Check = ({ rollout }) =>
  (rollout?.health.expressions ?? []).flatMap(({ apiVersion, kind, expression }, index) => {
    const path = ["rollout", "health", "expressions", index];
    const problem = expressionProblem(expression);
    return [
      ...kindProblem([...path, "kind"], apiVersion, kind),
      ...(problem === undefined
        ? []
        : [
            {
              path: [...path, "expression"],
              problem,
              advice: 'write one about object that is true or false, such as object.status.phase == "Ready"',
            },
          ]),
    ];
  });

const kindProblem = (path: PropertyKey[], apiVersion: string, kind: string): ConfigurationProblem[] => {
  if (apiVersion === "v1" && kind === "Secret")
    return [
      { path, problem: "is Secret, whose values would be printed", advice: "look at what is made from it instead" },
    ];
  const known = ofKubernetes[apiVersion];
  if (known?.includes(kind)) return [];
  const problem = `${kind} is no kind of ${apiVersion}`;
  const [elsewhere] = Object.entries(ofKubernetes).find(([, kinds]) => kinds.includes(kind)) ?? [];
  if (known)
    return [{ path, problem, advice: elsewhere === undefined ? advise(kind, known) : `it is of ${elsewhere}` }];
  const meant = ofSystems[apiVersion]?.find((each) => isAlmost(kind, each));
  return meant === undefined ? [] : [{ path, problem, advice: `write ${meant}` }];
};

/** Whether a kind is written as another one, but for its capitals and its number. */
const isAlmost = (kind: string, other: string): boolean =>
  kind !== other && [other, `${other}s`].some((each) => each.toLowerCase() === kind.toLowerCase());

export const healthChecks: Check[] = [healthExpressions];
