import { expect } from "chai";

import { chartOf } from "../../../infra/tree-objects.ts";

const object = (kind: string, at: string, spec: object) => {
  const [namespace = "", name = ""] = at.split("/");
  const apiVersion = kind === "HelmRelease" ? "helm.toolkit.fluxcd.io/v2" : "source.toolkit.fluxcd.io/v1";
  const file = "gitops/file.yaml";
  return {
    ...{ kustomization: "flux-system/apps", apiVersion, kind, namespace, name, file },
    object: { apiVersion, kind, metadata: { name, namespace }, spec },
  };
};

const chart = (version: string) => ({ url: "oci://quay.io/charts/cert-manager", ref: { tag: version } });

describe("the chart of a release", () => {
  it("is that of the object in its own namespace, unless it names another one", () => {
    const own = object("OCIRepository", "apps/cert-manager", chart("v1.0.0"));
    const other = object("OCIRepository", "charts/cert-manager", chart("v2.0.0"));
    const chartRef = { kind: "OCIRepository", name: "cert-manager" };
    const inOwn = chartOf([own, other], object("HelmRelease", "apps/one", { chartRef }));
    const inOther = chartOf(
      [own, other],
      object("HelmRelease", "apps/two", { chartRef: { ...chartRef, namespace: "charts" } }),
    );
    expect(inOwn).to.deep.equal({ kind: "OCIRepository", source: own, name: "cert-manager", version: "v1.0.0" });
    expect(inOther).to.deep.equal({ kind: "OCIRepository", source: other, name: "cert-manager", version: "v2.0.0" });
  });

  it("is named by itself where it is one of a repository's", () => {
    const repository = object("HelmRepository", "apps/jetstack", { url: "https://charts.jetstack.io" });
    const sourceRef = { kind: "HelmRepository", name: "jetstack" };
    const release = object("HelmRelease", "apps/one", {
      chart: { spec: { chart: "trust", version: "1.2.3", sourceRef } },
    });
    expect(chartOf([repository], release)).to.deep.equal({
      ...{ kind: "HelmRepository", source: repository, name: "trust", version: "1.2.3" },
    });
  });

  it("has no version where its source is not in the tree", () => {
    const release = object("HelmRelease", "apps/one", { chartRef: { kind: "OCIRepository", name: "gone" } });
    expect(chartOf([], release)).to.deep.equal({ kind: "OCIRepository", source: undefined, name: "", version: "" });
  });
});
