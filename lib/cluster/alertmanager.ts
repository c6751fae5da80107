import type { Kubernetes, KubernetesObject } from "./kubernetes.ts";

/** Asks Alertmanager's API, version 2. */
export type Alertmanager = (
  method: "GET" | "POST",
  path: string,
  body?: object,
) => Promise<{ status: number; body: string }>;

interface AlertmanagerObject extends KubernetesObject {
  spec?: { serviceName?: string; routePrefix?: string };
}

/**
 * The Alertmanagers of a cluster, which are reached through the API server; none where it has none.
 *
 * Source: prometheus-operator v0.93.0, pkg/alertmanager/statefulset.go: the Service `alertmanager-operated`, unless the resource names
 * another one, with port 9093.
 */
export const alertmanagersOf = async (kubernetes: Pick<Kubernetes, "list" | "ask">): Promise<Alertmanager[]> => {
  const found = await kubernetes.list("/apis/monitoring.coreos.com/v1/alertmanagers");
  return (found as AlertmanagerObject[]).map(({ metadata: { namespace = "" }, spec }): Alertmanager => {
    const { serviceName = "alertmanager-operated", routePrefix = "/" } = spec ?? {};
    const root = `/api/v1/namespaces/${namespace}/services/${serviceName}:9093/proxy${routePrefix.replace(/\/$/, "")}`;
    return (method, path, body) =>
      kubernetes.ask(method, `${root}${path}`, body && JSON.stringify(body), "application/json");
  });
};
