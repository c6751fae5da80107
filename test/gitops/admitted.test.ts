import { expect } from "chai";

import { admitted } from "../../lib/tree/rules/admitted.ts";
import { foundOf } from "../support/tree.ts";

const workload = `
apiVersion: apps/v1
kind: Deployment
metadata: { name: web, namespace: apps }
spec:
  template:
    metadata: { labels: { app: web } }
    spec:
      containers:
        - name: web
          ports: [{ name: http, containerPort: 8080 }, { name: metrics, containerPort: 9090 }]
---
apiVersion: v1
kind: Service
metadata: { name: web, namespace: apps, labels: { app: web } }
spec: { selector: { app: web }, ports: [{ name: http, port: 80, targetPort: http }] }
`;

const route = `---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: { name: web, namespace: apps }
spec:
  parentRefs: [{ name: internal, namespace: gateways }]
  rules: [{ backendRefs: [{ name: web, port: 80 }] }]
`;

const prometheus = `---
apiVersion: monitoring.coreos.com/v1
kind: Prometheus
metadata: { name: all, namespace: monitoring }
`;

const monitor = (port: string) => `${prometheus}---
apiVersion: monitoring.coreos.com/v1
kind: PodMonitor
metadata: { name: web, namespace: monitoring }
spec:
  namespaceSelector: { matchNames: [apps] }
  selector: { matchLabels: { app: web } }
  podMetricsEndpoints: [{ port: ${port} }]
`;

const webhook = `---
apiVersion: admissionregistration.k8s.io/v1
kind: MutatingWebhookConfiguration
metadata: { name: web }
webhooks: [{ clientConfig: { service: { name: web, namespace: apps, port: 80 } } }]
`;

/** Cilium's policy on the pods, with these rules as YAML. */
const policy = (...ingress: string[]) => `---
apiVersion: cilium.io/v2
kind: CiliumNetworkPolicy
metadata: { name: web, namespace: apps }
spec: { endpointSelector: { matchLabels: { app: web } }, ingress: [${ingress.join(", ")}] }
`;

const kubernetesPolicy = (...ingress: string[]) => `---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: { name: web, namespace: apps }
spec: { podSelector: { matchLabels: { app: web } }, ingress: [${ingress.join(", ")}] }
`;

const fromPrometheus =
  '{ fromEndpoints: [{ matchLabels: { io.kubernetes.pod.namespace: monitoring } }], toPorts: [{ ports: [{ port: "9090" }] }] }';
const fromGateway = '{ fromEntities: [ingress], toPorts: [{ ports: [{ port: "8080", protocol: TCP }] }] }';

const found = (...manifests: string[]) => foundOf(admitted, manifests.join(""));

const refused = (who: string, port: number, by: string) =>
  `Deployment apps/web: its policies do not admit ${who} at port ${port.toString()} (${by})`;
const scraped = refused("Prometheus, which scrapes it", 9090, "PodMonitor monitoring/web");
const routed = refused("the gateway, which routes to it", 8080, "HTTPRoute apps/web");
const called = refused("the API server of another machine, which calls it", 8080, "MutatingWebhookConfiguration web");
const fronted = refused("anybody, though a Service leads there", 8080, "Service apps/web");

describe("ports that something connects to", () => {
  it("are open where no policy selects their pods", () => {
    expect(found(workload, route, webhook, monitor("metrics"))).to.deep.equal([]);
  });

  it("are found where Prometheus scrapes them and no policy admits it", () => {
    expect(found(workload, monitor("metrics"), policy(fromGateway))).to.deep.equal([scraped]);
    expect(found(workload, monitor("metrics"), policy(fromGateway, fromPrometheus))).to.deep.equal([]);
  });

  it("are found where a gateway routes to them and no policy admits it", () => {
    expect(found(workload, route, policy(fromPrometheus))).to.include(routed);
    expect(found(workload, route, policy(fromGateway))).to.deep.equal([]);
    expect(found(workload, route, policy("{ fromEntities: [cluster] }"))).to.deep.equal([]);
    expect(found(workload, route, policy("{ fromEntities: [host, world] }"))).to.include(routed);
  });

  it("are found where only the API server of the pod's own machine may call a webhook", () => {
    expect(found(workload, webhook, policy("{ fromEntities: [kube-apiserver] }"))).to.deep.equal([called]);
    expect(found(workload, webhook, policy("{ fromEntities: [kube-apiserver, remote-node] }"))).to.deep.equal([]);
  });

  it("are found where a Service leads to them and nobody may", () => {
    expect(found(workload, policy("{}"))).to.deep.equal([fronted]);
    expect(found(workload, policy('{ toPorts: [{ ports: [{ port: "8081" }] }] }'))).to.deep.equal([fronted]);
    expect(found(workload, policy('{ toPorts: [{ ports: [{ port: "8000", endPort: 8090 }] }] }'))).to.deep.equal([]);
    expect(found(workload, policy("{ toPorts: [{ ports: [{ port: http }] }] }"))).to.deep.equal([]);
  });

  it("are open to whoever is of the policy's namespace, and no other, if a selector names none", () => {
    const own = policy("{ fromEndpoints: [{}] }");
    expect(found(workload, monitor("metrics"), own)).to.deep.equal([scraped]);
    expect(
      found(workload, monitor("metrics").replaceAll("namespace: monitoring", "namespace: apps"), own),
    ).to.deep.equal([]);
  });

  it("are held to Kubernetes' policies too, by the labels of namespaces", () => {
    const from = (labels: string) => `{ from: [{ namespaceSelector: { matchLabels: ${labels} } }] }`;
    const at = (labels: string) => found(workload, monitor("metrics"), kubernetesPolicy(from(labels)));
    expect(at("{ kubernetes.io/metadata.name: monitoring }")).to.deep.equal([]);
    expect(at("{ kubernetes.io/metadata.name: apps }")).to.deep.equal([scraped]);
    expect(found(workload, route, kubernetesPolicy("{ from: [{ podSelector: {} }] }"))).to.deep.equal([routed]);
    expect(found(workload, route, kubernetesPolicy("{}"))).to.deep.equal([]);
  });

  it("are found where no container has one of that name", () => {
    expect(found(workload, monitor("metric"))).to.deep.equal([
      "PodMonitor monitoring/web names the port metric, which no container of Deployment apps/web has",
    ]);
    expect(found(workload.replace("targetPort: http", "targetPort: web"))).to.deep.equal([
      "Service apps/web names the port web, which no container of Deployment apps/web has",
    ]);
  });

  it("have no policies on their machine's network", () => {
    const onHost = workload.replace("      containers:", "      hostNetwork: true\n      containers:");
    expect(found(onHost, route, policy("{}"))).to.deep.equal([]);
  });
});

const release = (name: string, namespace: string, values: string) => `---
apiVersion: source.toolkit.fluxcd.io/v1
kind: OCIRepository
metadata: { name: ${name}, namespace: ${namespace} }
spec: { url: "oci://charts.example.com/${name}" }
---
apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: { name: ${name}, namespace: ${namespace} }
spec: { chartRef: { kind: OCIRepository, name: ${name} }, values: ${values} }
`;

describe("ports of charts that cannot be had", () => {
  const operator = (values: string) => `${prometheus}${release("flux-operator", "flux-system", values)}---
apiVersion: monitoring.coreos.com/v1
kind: PodMonitor
metadata: { name: operator, namespace: flux-system }
spec:
  selector: { matchLabels: { app.kubernetes.io/name: flux-operator } }
  podMetricsEndpoints: [{ port: http-metrics }]
`;

  it("are held to the policy that flux-operator's brings, unless it is turned off", () => {
    const message =
      "Deployment flux-system/flux-operator of HelmRelease flux-system/flux-operator: its policies do not admit Prometheus, which scrapes it at port 8080 (PodMonitor flux-system/operator)";
    expect(found(operator("{}").replace(/^---/, ""))).to.deep.equal([message]);
    expect(found(operator("{ web: { networkPolicy: { create: false } } }").replace(/^---/, ""))).to.deep.equal([]);
    expect(found(operator("{ serviceMonitor: { create: true } }").replace(/^---/, ""))).to.deep.equal([]);
  });

  it("are held to the tree's policies, as the webhook of kube-prometheus-stack is", () => {
    const stack = (entities: string) =>
      found(
        release("kube-prometheus-stack", "monitoring", "{}").replace(/^---/, ""),
        policy(`{ fromEntities: [${entities}] }`)
          .replace("namespace: apps", "namespace: monitoring")
          .replace("{ matchLabels: { app: web } }", "{}"),
      );
    expect(stack("kube-apiserver").join("\n")).to.match(
      /^Deployment monitoring\/kube-prometheus-stack-operator of .* do not admit the API server of another machine, which calls it at port 10250/m,
    );
    expect(stack("kube-apiserver, remote-node")).to.deep.equal([]);
  });
});
