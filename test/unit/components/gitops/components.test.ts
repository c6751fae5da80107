import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { expect } from "chai";

import { ArgoCd } from "../../../../components/gitops/argocd.ts";
import { Flux } from "../../../../components/gitops/flux.ts";
import { GitHubRegistration } from "../../../../components/gitops/github.ts";
import type { Repository } from "../../../../components/gitops/repository.ts";
import type { ChartRelease } from "../../../../components/helm/install-once.ts";
import { Cilium } from "../../../../components/network/cilium.ts";
import { run, type Graph, type Registered } from "../../../support/graph.ts";
import { expectSound, leaks } from "../../../support/sound.ts";

const release: ChartRelease = { chart: "oci://ghcr.io/example/charts/thing", version: "1.2.3", values: { a: 1 } };
const secret = {
  key: "PRIVATE-KEY",
  token: "git-token",
  age: "AGE-SECRET-KEY-1",
  webhook: "webhook-token-value",
  tunnel: "tunnel-token",
};

const repository = (changes: Partial<Repository> = {}): Repository => ({
  url: "ssh://git@github.com/you/hearth.git",
  branch: "main",
  path: "gitops/clusters/dev",
  knownHosts: "github.com ssh-ed25519 AAAA",
  deployKey: pulumi.secret(secret.key),
  deployKeyPublic: "ssh-ed25519 AAAA",
  ...changes,
});

const common = (changes: Partial<Repository> = {}) => ({
  repository: repository(changes),
  ageIdentity: pulumi.secret(secret.age),
  settings: { cluster_name: "den-dev", load_balancer_cidr: "10.20.0.192/26" },
  secrets: { tunnel_token: pulumi.secret(secret.tunnel) },
});

const inCluster = () => ({ provider: new k8s.Provider("kubernetes", { kubeconfig: "{}" }) });

const flux = (preview: boolean, changes: Partial<Repository> = {}): Promise<Graph> =>
  run(
    () =>
      new Flux(
        "flux",
        { ...common(changes), operator: release, flux: "v2.9.4", webhookToken: pulumi.secret(secret.webhook) },
        inCluster(),
      ),
    { preview },
  );

const argoCd = (preview: boolean, changes: Partial<Repository> = {}): Promise<Graph> =>
  run(() => new ArgoCd("argocd", { ...common(changes), chart: "gitops/argocd", release }, inCluster()), { preview });

const one = (graph: Graph, type: string): Registered => {
  const [found] = graph.ofType(type, { exactly: 1 });
  if (!found) throw new Error(`There is no ${type}`);
  return found;
};

const secretNamed = (graph: Graph, name: string): Registered | undefined =>
  graph.ofType("kubernetes:core/v1:Secret").find((each) => each.name === name);

const created = (graph: Graph): string[] => [
  ...graph.urnsOf("kubernetes:core/v1:Secret"),
  ...graph.urnsOf("kubernetes:core/v1:ConfigMap"),
];

for (const preview of [true, false]) {
  const mode = preview ? "a preview" : "an update";

  describe(`Cilium in ${mode}`, () => {
    it("is installed once, and Git's from then on", async () => {
      const graph = await run(() => new Cilium("cilium", { release }, inCluster()), { preview });
      expectSound(graph);
      const installed = one(graph, "kubernetes:helm.sh/v3:Release");
      expect(installed.inputs).to.deep.include({ name: "cilium", namespace: "kube-system", ...release });
      expect(installed.ignoreChanges).to.have.members(["chart", "version", "values", "timeout"]);
      expect(installed.retainOnDelete).to.equal(true);
    });

    it(preview ? "does not have its chart downloaded" : "has its chart downloaded", async () => {
      const graph = await run(() => new Cilium("cilium", { release }, inCluster()), { preview });
      const { inputs } = one(graph, "kubernetes:helm.sh/v3:Release");
      expect("resourceNames" in inputs).to.equal(preview);
    });
  });

  describe(`Flux in ${mode}`, () => {
    it("is sound, and shows no secret", async () => {
      const graph = await flux(preview);
      expectSound(graph);
      expect(leaks(graph, Object.values(secret))).to.deep.equal([]);
    });

    it("starts when all that it needs is created", async () => {
      const graph = await flux(preview);
      const instance = one(graph, "kubernetes:fluxcd.controlplane.io/v1:FluxInstance");
      expect(created(graph)).to.have.lengthOf(5);
      expect(instance.dependsOn).to.include.members([
        ...created(graph),
        ...graph.urnsOf("kubernetes:helm.sh/v3:Release"),
      ]);
    });

    it("is left to itself then, also by a destroy", async () => {
      const graph = await flux(preview);
      const instance = one(graph, "kubernetes:fluxcd.controlplane.io/v1:FluxInstance");
      expect(instance.ignoreChanges).to.include("spec");
      expect(instance.retainOnDelete).to.equal(true);
      expect(one(graph, "kubernetes:helm.sh/v3:Release").retainOnDelete).to.equal(true);
    });

    it("reads over SSH with the deploy key", async () => {
      const graph = await flux(preview);
      const instance = one(graph, "kubernetes:fluxcd.controlplane.io/v1:FluxInstance");
      expect(instance.inputs).to.have.nested.property("spec.sync.pullSecret", "flux-system");
      expect(secretNamed(graph, "flux-system")?.inputs).to.have.nested.property("stringData.identity", secret.key);
    });

    it("reads over HTTPS with a token, and what is public with nothing", async () => {
      const https = { url: "https://github.com/you/hearth.git", knownHosts: undefined };
      const withToken = await flux(preview, { ...https, token: pulumi.secret(secret.token) });
      expect(secretNamed(withToken, "flux-system")?.inputs).to.have.nested.property(
        "stringData.password",
        secret.token,
      );
      expect(leaks(withToken, Object.values(secret))).to.deep.equal([]);
      const open = await flux(preview, https);
      expect(secretNamed(open, "flux-system")).to.equal(undefined);
      const instance = one(open, "kubernetes:fluxcd.controlplane.io/v1:FluxInstance");
      expect(instance.inputs).to.not.have.nested.property("spec.sync.pullSecret");
    });
  });

  describe(`Argo CD in ${mode}`, () => {
    it("is sound, and shows no secret", async () => {
      const graph = await argoCd(preview);
      expectSound(graph);
      expect(leaks(graph, Object.values(secret))).to.deep.equal([]);
    });

    it("has one app that holds all others, with the cluster's facts", async () => {
      const graph = await argoCd(preview);
      const app = one(graph, "kubernetes:argoproj.io/v1alpha1:Application");
      expect(app.inputs).to.have.nested.property("spec.source.helm.valuesObject.settings.cluster_name", "den-dev");
      expect(app.inputs).to.have.nested.property("spec.source.path", "gitops/argocd");
      expect(app.inputs).to.have.nested.property(
        "spec.source.helm.valuesObject.repository.path",
        "gitops/clusters/dev",
      );
      expect(app.dependsOn).to.include.members(graph.urnsOf("kubernetes:helm.sh/v3:Release"));
      expect(app.retainOnDelete).to.equal(true);
    });

    it("finds the age identity and the repository's credential when it starts", async () => {
      const graph = await argoCd(preview);
      const installed = one(graph, "kubernetes:helm.sh/v3:Release");
      expect(installed.dependsOn).to.include.members(created(graph));
      expect(secretNamed(graph, "repository")?.inputs).to.nested.include({
        "metadata.labels.argocd\\.argoproj\\.io/secret-type": "repository",
        "stringData.sshPrivateKey": secret.key,
      });
    });

    it("trusts no host that the stack does not name", async () => {
      const hosts = async (changes: Partial<Repository>) =>
        one(await argoCd(preview, changes), "kubernetes:core/v1:ConfigMap").inputs.data;
      expect(await hosts({})).to.deep.equal({ ssh_known_hosts: "github.com ssh-ed25519 AAAA" });
      const https = { url: "https://github.com/you/hearth.git", knownHosts: undefined };
      expect(await hosts(https)).to.deep.equal({ ssh_known_hosts: "" });
    });
  });

  describe(`GitHub in ${mode}`, () => {
    const github = (webhook: boolean): Promise<Graph> =>
      run(
        () =>
          new GitHubRegistration("github", {
            repository: { host: "github.com", owner: "you", name: "hearth" },
            token: pulumi.secret(secret.token),
            title: "hearth den-dev",
            deployKey: "ssh-ed25519 AAAA",
            webhook: webhook
              ? { url: pulumi.secret("https://flux.example.com/hook/abc"), secret: pulumi.secret(secret.webhook) }
              : undefined,
          }),
        { preview },
      );

    it("is told of the deploy key, which may only read", async () => {
      const graph = await github(false);
      expectSound(graph);
      expect(one(graph, "github:index/repositoryDeployKey:RepositoryDeployKey").inputs).to.deep.equal({
        repository: "hearth",
        title: "hearth den-dev",
        key: "ssh-ed25519 AAAA",
        readOnly: true,
      });
      graph.ofType("github:index/repositoryWebhook:RepositoryWebhook", { exactly: 0 });
    });

    it("is told whom to tell of a push", async () => {
      const graph = await github(true);
      expectSound(graph);
      const webhook = one(graph, "github:index/repositoryWebhook:RepositoryWebhook");
      expect(webhook.inputs).to.deep.include({ repository: "hearth", events: ["push"] });
      expect(webhook.secretPaths).to.include("configuration");
      expect(leaks(graph, [...Object.values(secret), "/hook/abc"])).to.deep.equal([]);
    });

    it("is asked as the owner, with the token", async () => {
      const provider = one(await github(false), "pulumi:providers:github");
      expect(provider.inputs).to.deep.include({ owner: "you", token: secret.token });
    });
  });
}
