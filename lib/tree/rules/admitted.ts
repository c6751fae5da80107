import { at, chartOf, groupOf, listAt, textAt, treeObject } from "../../../infra/tree-objects.ts";
import type { Finding } from "../render.ts";
import {
  ingressPolicies,
  isAdmitted,
  labelsAt,
  matches,
  type Caller,
  type Endpoint,
  type IngressPolicy,
} from "../policies.ts";
import { standInsOf } from "../stand-ins.ts";
import { podSpecOf } from "./images.ts";
import { called, everything, findingAt, type Rule, type Tree, type TreeObject } from "./rule.ts";

/** Something that connects to pods: by which object, and who it is. */
interface Call {
  by: TreeObject;
  /** Undefined for anybody at all. */
  from: Caller | undefined;
  /** As in `Prometheus, which scrapes it`. */
  who: string;
  pods: Pods[];
  port: string | number;
}

type Pods = Endpoint & { object: TreeObject };

/**
 * Ports that are scraped, called as a webhook, routed to or named by a Service, and that the policies on their pods do not admit from
 * where that comes. Pods that only an operator makes are not known, but for those of databases, Prometheus and Alertmanager.
 */
export const admitted: Rule = (tree) => {
  const objects = [...everything(tree), ...standing(tree)];
  const policies = ingressPolicies(objects);
  const pods = objects.flatMap(podsOf);
  const services = new Map(
    objects
      .filter(({ kind, apiVersion }) => kind === "Service" && apiVersion === "v1")
      .map((service) => [`${service.namespace ?? ""}/${service.name}`, service]),
  );
  const known = { objects, pods, services };
  return [...scrapes(tree, known), ...webhooks(known), ...routes(known), ...fronts(known)].flatMap((call) =>
    refusals(tree, policies, call),
  );
};

interface Known {
  objects: TreeObject[];
  pods: Pods[];
  services: Map<string, TreeObject>;
}

const standing = (tree: Tree): TreeObject[] =>
  standInsOf(tree, tree.unrendered).map(({ release, object }) => ({
    ...treeObject(object),
    ...{ object, release, file: release.file, kustomization: release.kustomization, encrypted: false },
    checked: { namespaced: true, errors: [] },
  }));

const workloads = ["Pod", "Deployment", "StatefulSet", "DaemonSet", "Job", "CronJob"];

/**
 * The port of pods that the operator of Prometheus makes, by group and kind.
 *
 * Source: prometheus-operator v0.92.0, pkg/prometheus/server/operator.go, pkg/alertmanager/operator.go and pkg/operator/config_reloader.go.
 */
const watching: Record<string, number> = {
  "monitoring.coreos.com/Prometheus": 9090,
  "monitoring.coreos.com/Alertmanager": 9093,
};

const podsOf = (object: TreeObject): Pods[] => {
  const { kind, namespace = "", name, object: manifest } = object;
  if (groupOf(object) === "postgresql.cnpg.io" && kind === "Cluster") {
    // Source: cloudnative-pg v1.30.1, pkg/specs/pods.go and pkg/management/url/url.go.
    const ports = [
      { name: "postgresql", number: 5432 },
      { name: "metrics", number: 9187 },
      { name: "status", number: 8000 },
    ];
    return [{ object, namespace, labels: { "cnpg.io/cluster": name }, ports, isOnHost: false }];
  }
  const web = watching[`${groupOf(object)}/${kind}`];
  if (web !== undefined) {
    const labels = {
      "app.kubernetes.io/name": kind.toLowerCase(),
      [kind.toLowerCase()]: name,
      ...(kind === "Prometheus" && { "operator.prometheus.io/name": name }),
    };
    const ports = [
      { name: textAt(manifest, "spec", "portName") ?? "web", number: web },
      { name: "reloader-web", number: 8080 },
    ];
    return [{ object, namespace, labels, ports, isOnHost: false }];
  }
  if (!workloads.includes(kind)) return [];
  const spec = podSpecOf(kind);
  const containers = ["containers", "initContainers"].flatMap((list) => listAt(manifest, ...spec, list));
  return [
    {
      object,
      namespace,
      labels: labelsAt(manifest, ...spec.slice(0, -1), "metadata", "labels"),
      ports: containers
        .flatMap((container) => listAt(container, "ports"))
        .map((port) => ({ name: textAt(port, "name"), number: Number(at(port, "containerPort")) })),
      isOnHost: at(manifest, ...spec, "hostNetwork") === true,
    },
  ];
};

/** Prometheus, wherever it runs. Without one nothing is scraped. */
const prometheusOf = (tree: Tree): Caller | undefined => {
  const running =
    everything(tree).find((each) => groupOf(each) === "monitoring.coreos.com" && each.kind === "Prometheus") ??
    tree.unrendered.find((release) => chartOf(tree.objects, release).name === "kube-prometheus-stack");
  return running && { namespace: running.namespace ?? "", labels: { "app.kubernetes.io/name": "prometheus" } };
};

const scrapes = (tree: Tree, { objects, pods, services }: Known): Call[] => {
  const from = prometheusOf(tree);
  if (from === undefined) return [];
  return objects.flatMap((by): Call[] => {
    const call = (selected: Pods[], port: string | number | undefined): Call[] =>
      port === undefined ? [] : [{ by, from, who: "Prometheus, which scrapes it", pods: selected, port }];
    if (groupOf(by) === "postgresql.cnpg.io" && at(by.object, "spec", "monitoring", "enablePodMonitor") === true) {
      return call(podsOf(by), "metrics");
    }
    if (groupOf(by) !== "monitoring.coreos.com") return [];
    const isWatched = watchedBy(by);
    const selector = at(by.object, "spec", "selector") ?? {};
    if (by.kind === "PodMonitor") {
      const selected = pods.filter((each) => isWatched(each.namespace) && matches(selector, each.labels));
      return listAt(by.object, "spec", "podMetricsEndpoints").flatMap((endpoint) => call(selected, portAt(endpoint)));
    }
    if (by.kind !== "ServiceMonitor") return [];
    return [...services.values()]
      .filter(
        ({ namespace = "", object }) =>
          isWatched(namespace) && matches(selector, labelsAt(object, "metadata", "labels")),
      )
      .flatMap((service) =>
        listAt(by.object, "spec", "endpoints").flatMap((endpoint) =>
          call(behind(service, pods), targetOf(service, portAt(endpoint))),
        ),
      );
  });
};

/** The namespaces that a monitor looks at: its own, unless it says otherwise. */
const watchedBy = ({ object, namespace = "" }: TreeObject): ((namespace: string) => boolean) => {
  const names = listAt(object, "spec", "namespaceSelector", "matchNames");
  if (at(object, "spec", "namespaceSelector", "any") === true) return () => true;
  return (asked) => (names.length === 0 ? asked === namespace : names.includes(asked));
};

const portAt = (endpoint: unknown): string | number | undefined =>
  ["port", "portNumber", "targetPort"]
    .map((key) => at(endpoint, key))
    .find((port): port is string | number => typeof port === "string" || typeof port === "number");

const behind = ({ namespace = "", object }: TreeObject, pods: readonly Pods[]): Pods[] => {
  const selector = at(object, "spec", "selector");
  if (selector === undefined) return [];
  return pods.filter((each) => each.namespace === namespace && matches({ matchLabels: selector }, each.labels));
};

/** The port of pods that a Service's port leads to, by its name or number. Undefined where the Service has no such port. */
const targetOf = ({ object }: TreeObject, asked: unknown): string | number | undefined => {
  const port = listAt(object, "spec", "ports").find(
    (each) => at(each, "name") === asked || at(each, "port") === asked || at(each, "targetPort") === asked,
  );
  return (at(port, "targetPort") ?? at(port, "port")) as string | number | undefined;
};

/** The API server calls from each control plane; from another machine than the pod's it comes as a remote node. */
const webhooks = ({ objects, pods, services }: Known): Call[] =>
  objects.flatMap((by) => {
    const places = [
      ...listAt(by.object, "webhooks").map((each) => at(each, "clientConfig", "service")),
      at(by.object, "spec", "conversion", "webhook", "clientConfig", "service"),
      by.kind === "APIService" ? at(by.object, "spec", "service") : undefined,
    ];
    return places.flatMap((place): Call[] => {
      const service = services.get(`${textAt(place, "namespace") ?? ""}/${textAt(place, "name") ?? ""}`);
      const port = service && targetOf(service, at(place, "port") ?? 443);
      if (service === undefined || port === undefined) return [];
      const who = "the API server of another machine, which calls it";
      return [{ by, from: { entity: "remote-node" }, who, pods: behind(service, pods), port }];
    });
  });

const routes = ({ objects, pods, services }: Known): Call[] =>
  objects
    .filter((each) => groupOf(each) === "gateway.networking.k8s.io" && each.kind.endsWith("Route"))
    .flatMap((by) => {
      const backends = listAt(by.object, "spec", "rules").flatMap((rule) => [
        ...listAt(rule, "backendRefs"),
        ...listAt(rule, "filters").flatMap((filter) => at(filter, "externalAuth", "backendRef") ?? []),
      ]);
      const traefik = listAt(by.object, "spec", "parentRefs").find((parent) => textAt(parent, "name") === "traefik");
      const from: Caller =
        traefik === undefined
          ? { entity: "ingress" }
          : {
              namespace: textAt(traefik, "namespace") ?? by.namespace ?? "",
              labels: { "app.kubernetes.io/name": "traefik" },
            };
      return backends.flatMap((backend): Call[] => {
        const namespace = textAt(backend, "namespace") ?? by.namespace ?? "";
        const service = services.get(`${namespace}/${textAt(backend, "name") ?? ""}`);
        const port = service && targetOf(service, at(backend, "port"));
        if (service === undefined || port === undefined) return [];
        return [{ by, from, who: "the gateway, which routes to it", pods: behind(service, pods), port }];
      });
    });

/** Services: those with an address in the LAN are called from there, others by somebody. */
const fronts = ({ pods, services }: Known): Call[] =>
  [...services.values()].flatMap((by) => {
    const isOutside = textAt(by.object, "spec", "type") === "LoadBalancer";
    const from: Caller | undefined = isOutside ? { entity: "world" } : undefined;
    const who = isOutside ? "the LAN, which its Service is open to" : "anybody, though a Service leads there";
    return listAt(by.object, "spec", "ports").flatMap((port): Call[] => [
      { by, from, who, pods: behind(by, pods), port: (at(port, "targetPort") ?? at(port, "port")) as string | number },
    ]);
  });

const refusals = (tree: Tree, policies: readonly IngressPolicy[], { by, from, who, pods, port }: Call): Finding[] => {
  const has = (each: Pods): boolean => each.ports.some(({ name }) => name === port);
  if (typeof port === "string" && Number.isNaN(Number(port)) && pods.length > 0 && !pods.some(has)) {
    return [
      findingAt(tree, by, {
        message: `${called(by)} names the port ${port}, which no container of ${pods.map(({ object }) => called(object)).join(" and ")} has`,
        advice: "name a port of a container, or give the container's port that name",
      }),
    ];
  }
  return pods.flatMap((endpoint) => {
    const number = Number.isNaN(Number(port)) ? endpoint.ports.find(({ name }) => name === port)?.number : Number(port);
    if (number === undefined || isAdmitted(policies, from, endpoint, number)) return [];
    const selecting = policies.filter((policy) => policy.selects(endpoint)).map((policy) => policy.called);
    return findingAt(tree, by, {
      message: `${called(endpoint.object)}: its policies do not admit ${who} at port ${number.toString()} (${called(by)})`,
      advice: `admit it in ${[...new Set(selecting)].join(" or ")}`,
    });
  });
};
