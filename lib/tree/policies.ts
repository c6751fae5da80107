import { at, groupOf, listAt, textAt, type TreeObject } from "../../infra/tree-objects.ts";

type Labels = Record<string, string>;

/** Pods of a workload, as network policies see them. */
export interface Endpoint {
  namespace: string;
  labels: Labels;
  ports: { name: string | undefined; number: number }[];
  /** Pods on their machine's network have no policies. */
  isOnHost: boolean;
}

/** Where a connection comes from: a pod, or one of Cilium's entities that is none. */
export type Caller = { namespace: string; labels: Labels } | { entity: "ingress" | "remote-node" | "world" };

/** What lets connections in to the pods that it selects. */
export interface IngressPolicy {
  /** As in `CiliumNetworkPolicy monitoring/grafana`. */
  called: string;
  selects: (endpoint: Endpoint) => boolean;
  /** @param from undefined for anybody, wherever it is */
  admits: (from: Caller | undefined, endpoint: Endpoint, port: number) => boolean;
}

const namespaceLabel = "io.kubernetes.pod.namespace";

/** Whether the policies that select pods let a connection in. Pods that none selects are open. */
export const isAdmitted = (
  policies: readonly IngressPolicy[],
  from: Caller | undefined,
  endpoint: Endpoint,
  port: number,
): boolean => {
  const selecting = endpoint.isOnHost ? [] : policies.filter((policy) => policy.selects(endpoint));
  return selecting.length === 0 || selecting.some((policy) => policy.admits(from, endpoint, port));
};

/**
 * The policies on incoming connections, Kubernetes' and Cilium's. Denials are not read, nor what a policy says of machines.
 *
 * Source: cilium v1.20.2, pkg/policy/api/ingress.go, entity.go and selector.go; Kubernetes, networking/v1 NetworkPolicy.
 */
export const ingressPolicies = (objects: readonly TreeObject[]): IngressPolicy[] => {
  const namespaces = new Map(
    objects
      .filter(({ kind, apiVersion }) => kind === "Namespace" && apiVersion === "v1")
      .map(({ name, object }) => [name, labelsAt(object, "metadata", "labels")]),
  );
  return objects.flatMap((object) => {
    const kind = `${groupOf(object)}/${object.kind}`;
    if (kind === "networking.k8s.io/NetworkPolicy") return ofKubernetes(object, namespaces);
    if (kind === "cilium.io/CiliumNetworkPolicy" || kind === "cilium.io/CiliumClusterwideNetworkPolicy") {
      return [at(object.object, "spec"), ...listAt(object.object, "specs")].flatMap((spec) => ofCilium(object, spec));
    }
    return [];
  });
};

const ofCilium = ({ kind, name, namespace }: TreeObject, spec: unknown): IngressPolicy[] => {
  const rules = at(spec, "ingress");
  const selector = at(spec, "endpointSelector");
  if (!Array.isArray(rules) || selector === undefined) return [];
  if (at(spec, "enableDefaultDeny", "ingress") === false) return [];
  return [
    {
      called: `${kind} ${namespace === undefined ? "" : `${namespace}/`}${name}`,
      selects: (endpoint) =>
        (namespace ?? endpoint.namespace) === endpoint.namespace && matches(selector, labelsOf(endpoint)),
      admits: (from, endpoint, port) =>
        rules.some((rule: unknown) => isFromCilium(rule, from, namespace) && isToPort(rule, endpoint, port)),
    },
  ];
};

const sources = ["fromEndpoints", "fromEntities", "fromCIDR", "fromCIDRSet", "fromNodes", "fromGroups", "fromRequires"];

/** An empty rule admits nobody. One that names ports only admits everybody. */
const isFromCilium = (rule: unknown, from: Caller | undefined, namespace: string | undefined): boolean => {
  if (sources.every((source) => at(rule, source) === undefined)) return listAt(rule, "toPorts").length > 0;
  if (from === undefined) return sources.some((source) => listAt(rule, source).length > 0);
  if (listAt(rule, "fromEntities").some((entity) => includes(entity, from))) return true;
  if ("entity" in from) {
    return from.entity === "world" && ["fromCIDR", "fromCIDRSet"].some((source) => listAt(rule, source).length > 0);
  }
  return listAt(rule, "fromEndpoints").some(
    (selector) =>
      (namespace === undefined || namesNamespace(selector) || from.namespace === namespace) &&
      matches(selector, labelsOf(from)),
  );
};

const includes = (entity: unknown, from: Caller): boolean => {
  if (entity === "all") return true;
  if ("entity" in from) return entity === from.entity || (entity === "cluster" && from.entity !== "world");
  return entity === "cluster";
};

/** A selector that names no namespace means the policy's own. */
const namesNamespace = (selector: unknown): boolean =>
  [
    ...Object.keys(labelsAt(selector, "matchLabels")),
    ...listAt(selector, "matchExpressions").map((each) => textAt(each, "key") ?? ""),
  ].some((key) => /^(k8s:|any:)?io\.(kubernetes\.pod\.namespace$|cilium\.k8s\.namespace\.labels\.)/.test(key));

const isToPort = (rule: unknown, endpoint: Endpoint, port: number): boolean => {
  const toPorts = listAt(rule, "toPorts");
  return (
    toPorts.length === 0 ||
    toPorts.some((each) => {
      const ports = listAt(each, "ports");
      return ports.length === 0 || ports.some((one) => isPort(one, endpoint, port));
    })
  );
};

/** Whether a rule's port is that one; by its number, its range or its name at the pods. */
const isPort = (rule: unknown, endpoint: Endpoint, port: number): boolean => {
  const named = at(rule, "port");
  if (named === undefined) return true;
  const number = Number(named);
  if (Number.isNaN(number)) return endpoint.ports.some((each) => each.name === named && each.number === port);
  return number === 0 || (port >= number && port <= Number(at(rule, "endPort") ?? number));
};

const ofKubernetes = (
  { kind, name, namespace = "", object }: TreeObject,
  namespaces: ReadonlyMap<string, Labels>,
): IngressPolicy[] => {
  const types = listAt(object, "spec", "policyTypes");
  if (types.length > 0 && !types.includes("Ingress")) return [];
  const isFrom = (rule: unknown, from: Caller | undefined): boolean => {
    const peers = listAt(rule, "from");
    if (peers.length === 0 || from === undefined) return true;
    return peers.some((peer) => {
      if ("entity" in from) return from.entity === "world" && at(peer, "ipBlock") !== undefined;
      const [inNamespace, pods] = [at(peer, "namespaceSelector"), at(peer, "podSelector")];
      if (inNamespace === undefined && pods === undefined) return false;
      const isThere =
        inNamespace === undefined
          ? from.namespace === namespace
          : matches(inNamespace, {
              ...namespaces.get(from.namespace),
              "kubernetes.io/metadata.name": from.namespace,
            });
      return isThere && matches(pods ?? {}, from.labels);
    });
  };
  return [
    {
      called: `${kind} ${namespace}/${name}`,
      selects: (endpoint) =>
        endpoint.namespace === namespace && matches(at(object, "spec", "podSelector") ?? {}, endpoint.labels),
      admits: (from, endpoint, port) =>
        listAt(object, "spec", "ingress").some((rule) => {
          const ports = listAt(rule, "ports");
          return isFrom(rule, from) && (ports.length === 0 || ports.some((each) => isPort(each, endpoint, port)));
        }),
    },
  ];
};

const labelsOf = ({ namespace, labels }: { namespace: string; labels: Labels }): Labels => ({
  ...labels,
  [namespaceLabel]: namespace,
});

export const labelsAt = (object: unknown, ...path: string[]): Labels => (at(object, ...path) ?? {}) as Labels;

/** Whether a label selector matches. Labels of namespaces that Cilium adds to pods are not known, and taken to match. */
export const matches = (selector: unknown, labels: Labels): boolean => {
  const plain = (key: string): string => key.replace(/^(k8s|any):/, "");
  const isUnknown = (key: string): boolean => key.startsWith("io.cilium.k8s.namespace.labels.");
  return (
    Object.entries(labelsAt(selector, "matchLabels")).every(
      ([key, value]) => isUnknown(plain(key)) || labels[plain(key)] === value,
    ) &&
    listAt(selector, "matchExpressions").every((each) => {
      const key = plain(textAt(each, "key") ?? "");
      const [has, is] = [key in labels, listAt(each, "values").includes(labels[key])];
      if (isUnknown(key)) return true;
      switch (textAt(each, "operator")) {
        case "In":
          return is;
        case "NotIn":
          return !is;
        case "Exists":
          return has;
        default:
          return !has;
      }
    })
  );
};
