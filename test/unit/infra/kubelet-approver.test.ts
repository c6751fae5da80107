import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { expect } from "chai";

import { parseConfig } from "../../../infra/config/index.ts";
import { approverProblems } from "../../../infra/kubelet-approver.ts";
import { changed, type Change } from "../../support/changes.ts";

const repository = join(import.meta.dirname, "../../..");
const signed: Change = ["cluster/kubeletCertificates", "cluster"];
const withArgoCd: Change[] = [signed, ["gitops/engine", "argocd"], ["cloudflare/webhook", undefined]];

describe("certificates of kubelets that the cluster signs", () => {
  let root: string;

  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), "hearth-tree-"));
    cpSync(join(repository, "gitops"), join(root, "gitops"), { recursive: true });
  });

  afterEach(() => {
    rmSync(root, { recursive: true });
  });

  const found = (...changes: Change[]): string[] =>
    approverProblems(parseConfig("dev", changed("dev", ...changes)), root).map(
      ({ path, problem, advice, warning }) => `${warning ? "W" : "E"} ${path.join(".")}: ${problem}; ${advice}`,
    );

  const edit = (file: string, from: string, to: string): void => {
    const text = readFileSync(join(root, file), "utf8");
    expect(text).to.contain(from);
    writeFileSync(join(root, file), text.replace(from, to));
  };

  const turnOn = (): void => {
    edit(
      "gitops/clusters/dev/kustomization.yaml",
      "# - ../../infrastructure/security/kubelet",
      "- ../../infrastructure/security/kubelet",
    );
  };

  it("are refused where the tree has nobody who approves what kubelets request", () => {
    expect(found(signed)).to.deep.equal([
      "E cluster.kubeletCertificates: cluster needs somebody who approves what kubelets request, and the tree has nobody; " +
        "write self, or first turn on security/kubelet-csr-approver in gitops/clusters/dev/kustomization.yaml",
    ]);
  });

  it("are taken with the tree's own approver, or with another one", () => {
    turnOn();
    expect(found(signed)).to.deep.equal([]);
    edit(
      "gitops/infrastructure/security/kubelet-csr-approver/flux.yaml",
      "./gitops/infrastructure/security/kubelet-csr-approver/app",
      "./gitops/infrastructure/monitoring/metrics-server/app",
    );
    rmSync(join(root, "gitops/infrastructure/security/kubelet-csr-approver/app"), { recursive: true });
    edit(
      "gitops/infrastructure/monitoring/metrics-server/app/helmrelease.yaml",
      "chart: metrics-server",
      "chart: talos-cloud-controller-manager",
    );
    expect(found(signed)).to.deep.equal([]);
  });

  it("ask for nobody where kubelets sign their own", () => {
    expect(found()).to.deep.equal([]);
  });

  it("are refused where Argo CD has no application that approves", () => {
    expect(found(...withArgoCd)).to.deep.equal([
      "E cluster.kubeletCertificates: cluster needs somebody who approves what kubelets request, and the tree has nobody; " +
        "write self, or add kubelet-csr-approver to the applications of Argo CD",
    ]);
    writeFileSync(join(root, "gitops/argocd/templates/approver.yaml"), "{{ x }}\nchart: kubelet-csr-approver\n");
    expect(found(...withArgoCd)).to.deep.equal([]);
  });
});
