import { expect } from "chai";
import { culprit, fluxApi, unapplied, waitForFlux, type FluxObject } from "../../../../lib/cluster/flux.ts";
import type { Kubernetes } from "../../../../lib/cluster/kubernetes.ts";
import { failureOf } from "../../../support/failure.ts";

const revision = "refs/heads/main@sha1:0123456789abcdef0123456789abcdef01234567";
const object = (change: Partial<FluxObject> = {}): FluxObject => ({
  kind: "Kustomization",
  namespace: "flux-system",
  name: "apps",
  isReady: true,
  isUnderWay: false,
  isSuspended: false,
  revision,
  message: "",
  ...change,
});

describe("unapplied", () => {
  it("is empty when everything is Ready at the revision", () => {
    expect(unapplied([object(), object({ kind: "GitRepository" })], revision)).to.deep.equal([]);
  });

  it("names what is Ready at an older revision", () => {
    const old = object({ revision: "refs/heads/main@sha1:ffff" });
    expect(unapplied([object(), old], revision)).to.deep.equal([old]);
  });

  it("names what is at the revision, but not Ready", () => {
    const failing = object({ isReady: false });
    expect(unapplied([failing], revision)).to.deep.equal([failing]);
  });

  it("does not wait for what somebody suspended", () => {
    expect(unapplied([object({ kind: "HelmRelease", isReady: false, isSuspended: true })], revision)).to.deep.equal([]);
  });

  it("does not hold a HelmRelease's chart version against the repository's revision", () => {
    expect(unapplied([object({ kind: "HelmRelease", revision: "1.20.2" })], revision)).to.deep.equal([]);
  });
});

describe("culprit", () => {
  const waiting = object({
    name: "instance",
    isReady: false,
    message: "dependency 'flux-system/operator' is not ready",
  });
  const checking = object({ name: "operator", isReady: false, message: "Reconciliation in progress" });
  const release = object({ kind: "HelmRelease", name: "operator", isReady: false, message: "Helm upgrade failed" });

  it("is the release that the others wait for", () => {
    expect(culprit([waiting, checking, release])).to.equal(release);
  });

  it("is the Kustomization that waits for no other, where no release is late", () => {
    expect(culprit([waiting, checking])).to.equal(checking);
  });

  it("is the source before anything else", () => {
    const source = object({ kind: "GitRepository", isReady: false, message: "unable to clone" });
    expect(culprit([waiting, release, source])).to.equal(source);
  });

  it("is nothing where nothing is waited for", () => {
    expect(culprit([])).to.equal(undefined);
  });
});

describe("waitForFlux", () => {
  it("asks for what stands still, and leaves alone what waits for health, which would begin to wait anew", async () => {
    const asked: string[] = [];
    const of = (name: string, status: string) => ({
      metadata: { namespace: "flux-system", name },
      status: { conditions: [{ type: "Ready", status }], artifact: { revision }, lastAppliedRevision: revision },
    });
    const kubernetes = {
      list: (path: string) =>
        Promise.resolve(
          path === fluxApi.repositories
            ? [of("flux-system", "True")]
            : path === fluxApi.kustomizations
              ? [of("checking", "Unknown"), of("waiting", "False"), of("done", "True")]
              : [],
        ),
      annotate: (path: string) => Promise.resolve(void asked.push(path)),
    };
    await failureOf(waitForFlux(kubernetes as unknown as Kubernetes, { revision, timeout: 100 }));
    expect(asked).to.deep.equal(["/apis/kustomize.toolkit.fluxcd.io/v1/namespaces/flux-system/kustomizations/waiting"]);
  });
});
