import { expect } from "chai";
import { labTree, type ServableChart } from "../../../lab/tree.ts";
import { releaseOf } from "../../../lib/tree/charts.ts";
import type { KubernetesObject } from "../../../lib/tree/created.ts";
import type { RenderedCluster } from "../../../lib/tree/render.ts";

const flux = "flux-system/podinfo";

const objectOf = (kind: string, name: string, spec: object = {}, apiVersion = "apps/v1") => {
  const object: KubernetesObject = { apiVersion, kind, metadata: { name, namespace: "podinfo" }, spec };
  return { kustomization: flux, apiVersion, kind, namespace: "podinfo", name, file: "", object, encrypted: false };
};
const release = (name: string, spec: object = {}) =>
  objectOf("HelmRelease", name, { chartRef: { kind: "OCIRepository", name }, ...spec }, "helm.toolkit.fluxcd.io/v2");
const repository = (name: string, tag = "1.2.3") =>
  objectOf(
    "OCIRepository",
    name,
    { url: `oci://ghcr.io/someone/charts/${name}`, ref: { tag } },
    "source.toolkit.fluxcd.io/v1",
  );

const cluster = (objects: RenderedCluster["objects"], spec: object = { wait: true }): RenderedCluster => ({
  config: {} as RenderedCluster["config"],
  created: [],
  findings: [],
  kustomizations: [{ name: flux, file: "", object: { ...objectOf("Kustomization", "podinfo", spec).object } }],
  objects,
});

const chart = (change: Partial<ServableChart> = {}): ServableChart => ({
  ...{ name: "podinfo", folder: "/charts/podinfo", with: {}, version: "1.2.3", project: "podinfo" },
  ...{ hasWebhook: false, isOnlyChecked: false, isServed: false },
  ...change,
});

const reasons = (objects: RenderedCluster["objects"], charts: ServableChart[]): string[] =>
  labTree(cluster(objects), charts).stopped.map(({ reason }) => reason);

describe("labTree", () => {
  const podinfo = [repository("podinfo"), release("podinfo")];

  it("serves a chart that can be had where the tree fetches it", () => {
    const { charts, stopped, brought } = labTree(cluster(podinfo), [chart()]);
    expect(stopped).to.deep.equal([]);
    expect(brought).to.deep.equal(["podinfo"]);
    expect(charts).to.deep.equal([
      {
        ...{ host: "ghcr.io", repository: "someone/charts/podinfo", isIndex: false },
        ...{ folder: "/charts/podinfo", version: "1.2.3", with: {} },
      },
    ]);
  });

  it("stops a release whose chart cannot be had, or not at its version, or has to answer the API server", () => {
    expect(reasons(podinfo, [])).to.deep.equal(["the chart podinfo cannot be had here"]);
    expect(reasons(podinfo, [chart({ version: "1.2.2" })])[0]).to.contain("at 1.2.2 only");
    expect(reasons(podinfo, [chart({ hasWebhook: true })])[0]).to.contain("pods only look alive");
  });

  it("keeps checking what can be checked beside a release that stands still", () => {
    const { policies } = labTree(cluster([...podinfo, objectOf("Deployment", "web")]), []);
    const text = JSON.stringify(policies);
    expect(text).to.contain(String.raw`HelmRelease/podinfo/podinfo\",\"OCIRepository/podinfo/podinfo`);
    expect(text).to.contain(
      String.raw`[{\"apiVersion\":\"apps/v1\",\"kind\":\"Deployment\",\"name\":\"web\",\"namespace\":\"podinfo\"}]`,
    );
  });

  it("leaves the health checks alone where everything can run", () => {
    const { policies, unchecked } = labTree(cluster(podinfo), [chart()]);
    expect(unchecked).to.deep.equal([]);
    expect(JSON.stringify(policies)).not.to.contain("flux-system/podinfo");
  });

  it("names what only a controller could say that does not run here", () => {
    const database = objectOf("Cluster", "db", {}, "postgresql.cnpg.io/v1");
    const healthCheckExprs = [{ apiVersion: "postgresql.cnpg.io/v1", kind: "Cluster", current: "true" }];
    const { unchecked } = labTree(cluster([database], { wait: true, healthCheckExprs }), []);
    expect(unchecked).to.deep.equal(["Cluster podinfo/db"]);
  });

  it("lets a release run that waited for one that stands still", () => {
    const waiting = release("other", { dependsOn: [{ name: "podinfo" }] });
    const { policies } = labTree(cluster([...podinfo, repository("other"), waiting]), [chart({ name: "other" })]);
    expect(JSON.stringify(policies)).to.contain(String.raw`dyn({\"podinfo/other\":[]})`);
  });
});

describe("releaseOf", () => {
  it("takes a chart's own version, and the module's where a project fills it in only as it releases", () => {
    expect(releaseOf("version: 1.21.1", "v0.22.0")).to.equal("1.21.1");
    expect(releaseOf("version: v0.0.0", "v1.21.2")).to.equal("1.21.2");
    expect(releaseOf("version: 0.0.1", "v2.4.0")).to.equal("2.4.0");
  });
});
