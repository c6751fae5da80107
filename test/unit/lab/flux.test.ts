import { expect } from "chai";
import { unapplied, type FluxObject } from "../../../lab/flux.ts";

const revision = "refs/heads/main@sha1:0123456789abcdef0123456789abcdef01234567";
const object = (change: Partial<FluxObject> = {}): FluxObject => ({
  kind: "Kustomization",
  namespace: "flux-system",
  name: "apps",
  isReady: true,
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
