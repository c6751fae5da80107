/** A route of the Gateway API, as far as it says where requests go. */
export interface Route {
  metadata: { name: string; namespace?: string };
  spec?: {
    rules?: { backendRefs?: Backend[]; filters?: { externalAuth?: { backendRef?: Backend } }[] }[];
  };
}

interface Backend {
  kind?: string;
  group?: string;
  name: string;
  namespace?: string;
}

/** Where the pods of a Service are. */
export interface EndpointSlice {
  metadata: { namespace?: string; labels?: Record<string, string> };
  endpoints?: { conditions?: { ready?: boolean }; nodeName?: string }[] | null;
}

/**
 * The Services that routes lead to, and those that gateways ask whether a request may pass, as namespace/name.
 *
 * Source: Gateway API v1.6, HTTPRouteRule and HTTPExternalAuthFilter.
 */
export const routedServices = (routes: readonly Route[]): string[] => [
  ...new Set(
    routes.flatMap(({ metadata, spec }) =>
      (spec?.rules ?? [])
        .flatMap(({ backendRefs = [], filters = [] }) => [
          ...backendRefs,
          ...filters.flatMap(({ externalAuth }) => externalAuth?.backendRef ?? []),
        ])
        .filter(({ kind = "Service", group = "" }) => kind === "Service" && group === "")
        .map(({ name, namespace = metadata.namespace ?? "" }) => `${namespace}/${name}`),
    ),
  ),
];

/**
 * The nodes on which Services have ready pods, by namespace/name. A Service without a ready pod is not among them.
 *
 * An endpoint that says nothing of its readiness is ready. Source: Kubernetes 1.36, discovery.k8s.io/v1, EndpointConditions.
 */
export const readyServices = (slices: readonly EndpointSlice[]): Map<string, Set<string>> => {
  const found = new Map<string, Set<string>>();
  for (const { metadata, endpoints } of slices) {
    const service = metadata.labels?.["kubernetes.io/service-name"];
    if (service === undefined) continue;
    const key = `${metadata.namespace ?? ""}/${service}`;
    for (const { conditions, nodeName = "" } of endpoints ?? []) {
      if (conditions?.ready === false) continue;
      found.set(key, (found.get(key) ?? new Set()).add(nodeName));
    }
  }
  return found;
};
