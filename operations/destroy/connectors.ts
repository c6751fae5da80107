import { setTimeout as sleep } from "node:timers/promises";

import type { Kubernetes, KubernetesObject } from "../../lib/cluster/kubernetes.ts";

/** Timeout for connectors to end their connections, in milliseconds. */
const timeout = 60_000;

/**
 * Stops the tunnels' connectors in the cluster, because Cloudflare deletes only tunnels without connections.
 *
 * Flux would start them again, so it first suspends the Kustomization or release that each belongs to.
 *
 * @returns names of the stopped Deployments
 */
export const stopConnectors = async (kubernetes: Kubernetes): Promise<string[]> => {
  const connectors = (await kubernetes.list(deployments)).filter(isConnector);
  for (const { metadata } of connectors) {
    const owner = ownerOf(metadata.labels ?? {});
    if (owner !== undefined) await kubernetes.merge(owner, { spec: { suspend: true } });
    await kubernetes.merge(pathOf(metadata), { spec: { replicas: 0 } });
  }
  for (const { metadata } of connectors) await untilStopped(kubernetes, pathOf(metadata));
  return connectors.map(({ metadata }) => `${metadata.namespace ?? ""}/${metadata.name}`);
};

const deployments = "/apis/apps/v1/deployments";

const pathOf = ({ namespace = "", name }: KubernetesObject["metadata"]): string =>
  `/apis/apps/v1/namespaces/${namespace}/deployments/${name}`;

/** Whether a Deployment runs cloudflared. */
export const isConnector = ({ spec }: KubernetesObject): boolean => {
  const { template } = (spec ?? {}) as { template?: { spec?: { containers?: { image?: string }[] } } };
  return (template?.spec?.containers ?? []).some(({ image = "" }) => /(^|\/)cloudflared([:@]|$)/.test(image));
};

/** Path of the Flux object that manages an object with such labels; undefined if none does. */
export const ownerOf = (labels: Record<string, string>): string | undefined => {
  for (const [group, path] of owners) {
    const [name, namespace] = [labels[`${group}/name`], labels[`${group}/namespace`]];
    if (name !== undefined && namespace !== undefined) return path(namespace, name);
  }
  return undefined;
};

const owners: [group: string, path: (namespace: string, name: string) => string][] = [
  [
    "helm.toolkit.fluxcd.io",
    (namespace, name) => `/apis/helm.toolkit.fluxcd.io/v2/namespaces/${namespace}/helmreleases/${name}`,
  ],
  [
    "kustomize.toolkit.fluxcd.io",
    (namespace, name) => `/apis/kustomize.toolkit.fluxcd.io/v1/namespaces/${namespace}/kustomizations/${name}`,
  ],
];

const untilStopped = async (kubernetes: Kubernetes, path: string): Promise<void> => {
  const deadline = Date.now() + timeout;
  while (Date.now() < deadline) {
    const found = await kubernetes.get<KubernetesObject>(path);
    if (((found?.status?.replicas as number | undefined) ?? 0) === 0) return;
    await sleep(1000);
  }
};
