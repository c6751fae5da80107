import { expect } from "chai";

import { fluxHealth, type FluxState } from "../../../../lib/cluster/flux-health.ts";
import type { KubernetesObject } from "../../../../lib/cluster/kubernetes.ts";

const commit = "a".repeat(40);
const revision = `refs/heads/main@sha1:${commit}`;
const at = (hour: number): string => new Date(hour * 3_600_000).toISOString();

const ready = (status: string, since = 0, message = "as it should be") => ({
  conditions: [{ type: "Ready", status, message, lastTransitionTime: at(since) }],
});

const repository = (since: number, has = revision): KubernetesObject => ({
  metadata: { name: "flux-system", namespace: "flux-system" },
  status: { ...ready("True"), artifact: { revision: has, lastUpdateTime: at(since) } },
});

const outcome = (status: string, first: number, last: number) => ({
  ...{ lastReconciledStatus: status, firstReconciled: at(first), lastReconciled: at(last) },
});

const kustomization = (name: string, status: object, spec: object = {}): KubernetesObject => ({
  metadata: { name, namespace: "flux-system" },
  spec: { sourceRef: { kind: "GitRepository", name: "flux-system" }, ...spec },
  status: { lastAppliedRevision: revision, ...status },
});

const succeeded = "ReconciliationSucceeded";
const fine = (first: number) => ({ ...ready("True", 9), history: [outcome(succeeded, first, 9)] });

const health = (state: Partial<FluxState>) =>
  fluxHealth({ repository: repository(1), kustomizations: [], releases: [], ...state });

describe("how a cluster does with what it follows", () => {
  it("is well since the commit was fetched, however often it was looked at since", () => {
    const found = health({ kustomizations: [kustomization("apps", fine(0))] });
    expect(found).to.deep.equal({ commit, failures: [], isBusy: false, since: 3_600_000, suspended: [] });
  });

  it("is well since the last part of it was applied first", () => {
    expect(health({ kustomizations: [kustomization("apps", fine(3)), kustomization("web", fine(0))] }).since).to.equal(
      3 * 3_600_000,
    );
  });

  it("is well since it last failed", () => {
    const history = [outcome(succeeded, 0, 9), outcome("HealthCheckFailed", 4, 5)];
    expect(health({ kustomizations: [kustomization("apps", { ...ready("True", 9), history })] }).since).to.equal(
      5 * 3_600_000,
    );
  });

  it("is well since a release is ready", () => {
    const release = { metadata: { name: "web", namespace: "apps" }, status: ready("True", 6) };
    expect(health({ releases: [release] }).since).to.equal(6 * 3_600_000);
  });

  it("is not known for how long it is well without a time", () => {
    const release = {
      metadata: { name: "web", namespace: "apps" },
      status: { conditions: [{ type: "Ready", status: "True" }] },
    };
    expect(health({ releases: [release] }).since).to.equal(Infinity);
    expect(health({ repository: undefined })).to.include({ commit: undefined, since: Infinity });
  });

  it("fails where something is not ready, or has not applied the commit", () => {
    const release = { metadata: { name: "web", namespace: "apps" }, status: ready("False", 1, "no chart") };
    const late = kustomization("apps", { ...fine(0), lastAppliedRevision: "refs/heads/main@sha1:b" });
    expect(health({ releases: [release], kustomizations: [late] }).failures).to.deep.equal([
      "HelmRelease apps/web is not ready: no chart",
      "Kustomization flux-system/apps has not applied aaaaaaaaaa yet",
    ]);
  });

  it("is busy while something is reconciled", () => {
    expect(health({ kustomizations: [kustomization("apps", { ...fine(0), ...ready("Unknown") })] })).to.include({
      isBusy: true,
    });
  });

  it("is not judged by what somebody has suspended", () => {
    const found = health({ kustomizations: [kustomization("apps", ready("False"), { suspend: true })] });
    expect(found).to.deep.include({ failures: [], isBusy: false, suspended: ["Kustomization flux-system/apps"] });
  });
});
