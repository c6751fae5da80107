import { at, chartOf, textAt } from "../../infra/tree-objects.ts";
import type { KubernetesObject } from "./created.ts";
import type { RenderedCluster } from "./render.ts";

type RenderedObject = RenderedCluster["objects"][number];

interface Port {
  name: string;
  number: number;
}

const deployment = (name: string, labels: Record<string, string>, ports: Port[]): KubernetesObject => ({
  apiVersion: "apps/v1",
  kind: "Deployment",
  metadata: { name },
  spec: {
    template: {
      metadata: { labels },
      spec: { containers: [{ ports: ports.map((port) => ({ name: port.name, containerPort: port.number })) }] },
    },
  },
});

const service = (
  name: string,
  selector: Record<string, string>,
  port: number,
  targetPort: string,
): KubernetesObject => ({
  apiVersion: "v1",
  kind: "Service",
  metadata: { name },
  spec: { selector, ports: [{ port, targetPort }] },
});

const webhook = (name: string, namespace: string): KubernetesObject => ({
  apiVersion: "admissionregistration.k8s.io/v1",
  kind: "ValidatingWebhookConfiguration",
  metadata: { name },
  webhooks: [{ clientConfig: { service: { name, namespace } } }],
});

/**
 * What charts create that concerns network policies, for where the charts cannot be had. Each says where that is written.
 */
const standIns: Record<string, (release: RenderedObject) => KubernetesObject[]> = {
  // flux-operator's chart 0.58.1, templates/networkpolicy.yaml and deployment.yaml.
  "flux-operator": ({ object, name }) => {
    const selector = { "app.kubernetes.io/name": "flux-operator" };
    const has = (...path: string[]): boolean => at(object, "spec", "values", ...path) !== false;
    const scraped = at(object, "spec", "values", "serviceMonitor", "create") === true;
    return [
      deployment(name, selector, [
        { name: "http-metrics", number: 8080 },
        { name: "http-web", number: 9080 },
      ]),
      ...(has("web", "enabled") ? [service(name, selector, 9080, "http-web")] : []),
      ...(has("web", "enabled") && has("web", "networkPolicy", "create")
        ? [
            {
              apiVersion: "networking.k8s.io/v1",
              kind: "NetworkPolicy",
              metadata: { name: `${name}-web` },
              spec: {
                podSelector: { matchLabels: selector },
                policyTypes: ["Ingress"],
                ingress: [
                  {
                    from: [{ namespaceSelector: {} }],
                    ports: [{ port: 9080 }, ...(scraped ? [{ port: 8080 }] : [])],
                  },
                ],
              },
            },
          ]
        : []),
    ];
  },
  // prometheus-community/helm-charts, kube-prometheus-stack 88.5.3, templates/prometheus-operator, and its subchart grafana.
  "kube-prometheus-stack": ({ name, namespace = "" }) => {
    const [operator, grafana] = [{ app: `${name}-operator` }, { "app.kubernetes.io/name": "grafana" }];
    const [prometheus, alertmanager] = [
      { "app.kubernetes.io/name": "prometheus" },
      { "app.kubernetes.io/name": "alertmanager" },
    ];
    return [
      deployment(`${name}-operator`, operator, [{ name: "https", number: 10250 }]),
      service(`${name}-operator`, operator, 443, "https"),
      webhook(`${name}-operator`, namespace),
      deployment(`${name}-grafana`, grafana, [{ name: "grafana", number: 3000 }]),
      service(`${name}-grafana`, grafana, 80, "grafana"),
      // The pods are the operator's.
      deployment(`prometheus-${name}`, prometheus, [{ name: "http-web", number: 9090 }]),
      service(`${name}-prometheus`, prometheus, 9090, "http-web"),
      deployment(`alertmanager-${name}`, alertmanager, [{ name: "http-web", number: 9093 }]),
      service(`${name}-alertmanager`, alertmanager, 9093, "http-web"),
    ];
  },
  // cloudnative-pg/charts 0.29.0, templates/deployment.yaml; cloudnative-pg v1.30.1, the operator's webhook.
  "cloudnative-pg": ({ name, namespace = "" }) => {
    const selector = { "app.kubernetes.io/name": "cloudnative-pg" };
    return [
      deployment(name, selector, [
        { name: "metrics", number: 8080 },
        { name: "webhook-server", number: 9443 },
      ]),
      service("cnpg-webhook-service", selector, 443, "webhook-server"),
      webhook("cnpg-webhook-service", namespace),
    ];
  },
  // k8s-gateway/k8s_gateway, chart 3.7.2, templates/deployment.yaml and service.yaml.
  "k8s-gateway": ({ name }) => {
    const selector = { "app.kubernetes.io/name": "k8s-gateway" };
    const lan = service(name, selector, 53, "dns-udp");
    return [
      deployment(name, selector, [
        { name: "dns-udp", number: 1053 },
        { name: "metrics", number: 9153 },
      ]),
      { ...lan, spec: { ...(lan.spec as object), type: "LoadBalancer" } },
    ];
  },
};

/** What stands for the objects of releases whose charts cannot be had, in the release's namespace. */
export const standInsOf = (
  { objects }: Pick<RenderedCluster, "objects">,
  unrendered: readonly RenderedObject[],
): { release: RenderedObject; object: KubernetesObject }[] =>
  unrendered.flatMap((release) => {
    const namespace = textAt(release.object, "spec", "targetNamespace") ?? release.namespace ?? "";
    const made = standIns[chartOf(objects, release).name]?.({ ...release, namespace }) ?? [];
    return made.map((object) => ({
      release,
      object: object.webhooks === undefined ? { ...object, metadata: { ...object.metadata, namespace } } : object,
    }));
  });
