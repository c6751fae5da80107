import { expect } from "chai";

import { releaseProblems } from "../../../../infra/config/checks/releases.ts";
import { parseConfig } from "../../../../infra/config/index.ts";
import { writtenReleases } from "../../../../infra/tree-releases.ts";
import { changed, type Change } from "../../../support/changes.ts";

const root = new URL("../../../../", import.meta.url).pathname;

const found = (changes: Change[], cilium = "1.20.2", fluxOperator = "0.58.1"): string[] =>
  releaseProblems(parseConfig("dev", changed("dev", ...changes)), {
    cilium: { version: cilium },
    fluxOperator: { version: fluxOperator },
  }).map(({ path, problem, advice, warning }) => `${warning ? "W" : "E"} ${path.join(".")}: ${problem}; ${advice}`);

describe("the releases of a stack file", () => {
  it("go with those of the tree, as committed", () => {
    for (const stack of ["dev", "prod"]) {
      const releases = writtenReleases(root);
      expect(releases.cilium.values).to.have.property("devices");
      expect(releaseProblems(parseConfig(stack, changed(stack)), releases)).to.deep.equal([]);
    }
  });

  it("are refused for a Gateway API that is older than Cilium's", () => {
    expect(found([["network/gatewayApi", "v1.2.0"]])).to.deep.equal([
      "E network.gatewayApi: v1.2.0 is older than v1.6, without which Cilium 1.20.2 starts no gateway; use a release of v1.6",
    ]);
  });

  it("are warned of for a Gateway API that is newer than Cilium's", () => {
    expect(found([], "1.19.4")).to.deep.equal([
      "W network.gatewayApi: v1.6.1 is newer than v1.4, which Cilium 1.19.4 was built with; use a release of v1.4",
    ]);
  });

  it("are refused for a Flux that flux-operator does not bring", () => {
    expect(found([["gitops/flux", "v2.9.5"]])).to.deep.equal([
      "E gitops.flux: v2.9.5 is not a release that flux-operator 0.58.1 installs; use v2.2.0 to v2.9.4, or a newer flux-operator",
    ]);
    expect(found([["gitops/flux", "v2.1.2"]])).to.deep.equal([
      "E gitops.flux: v2.1.2 is not a release that flux-operator 0.58.1 installs; use v2.2.0 to v2.9.4",
    ]);
  });

  it("say nothing of releases that Hearth does not know, and of Flux where Argo CD is the engine", () => {
    expect(found([["gitops/flux", "v2.12.0"]], "1.99.0", "0.99.0")).to.deep.equal([]);
    expect(found([], "", "")).to.deep.equal([]);
    const argo: Change[] = [
      ["gitops/engine", "argocd"],
      ["gitops/flux", "v2.1.2"],
      ["cloudflare/webhook", undefined],
    ];
    expect(found(argo)).to.deep.equal([]);
  });
});
