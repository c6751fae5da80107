import type { KubernetesObject } from "../cluster/kubernetes.ts";

/** A pod on a node that is about to go out of service. */
export interface Pod {
  namespace: string;
  name: string;
  /** Names of the claims that it mounts. */
  claims: string[];
}

interface PodObject extends KubernetesObject {
  metadata: KubernetesObject["metadata"] & {
    annotations?: Record<string, string>;
    ownerReferences?: { kind: string; controller?: boolean }[];
  };
}

/**
 * The pods that have to leave a node: not those of DaemonSets, which follow the node, nor static pods, nor those that have ended.
 *
 * Source: Kubernetes v1.36, staging/src/k8s.io/kubectl/pkg/drain/filters.go.
 */
export const podsToEvict = (pods: readonly KubernetesObject[]): Pod[] =>
  (pods as readonly PodObject[])
    .filter(({ metadata }) => metadata.annotations?.["kubernetes.io/config.mirror"] === undefined)
    .filter(
      ({ metadata }) => !metadata.ownerReferences?.some(({ kind, controller }) => kind === "DaemonSet" && controller),
    )
    .filter(({ status }) => !["Succeeded", "Failed"].includes(String(status?.phase)))
    .map(({ metadata, spec }) => ({
      namespace: metadata.namespace ?? "",
      name: metadata.name,
      claims: claimsOf(spec),
    }));

const claimsOf = (spec: Record<string, unknown> | undefined): string[] =>
  ((spec?.volumes ?? []) as { persistentVolumeClaim?: { claimName: string } }[]).flatMap(
    ({ persistentVolumeClaim }) => persistentVolumeClaim?.claimName ?? [],
  );
