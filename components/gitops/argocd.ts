import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";

import { installOnce, type ChartRelease } from "../helm/install-once.ts";
import { createNamespace, createSecret } from "./created.ts";
import { argoCredential, type Repository } from "./repository.ts";

export interface ArgoCdArgs {
  /** Argo CD's chart. Its values install the plugin for SOPS. */
  release: ChartRelease;
  /** Its `path` is the environment's folder; the app of apps reads what is in `argocd` there. */
  repository: Repository;
  /** Folder of the app of apps, which is a Helm chart. */
  chart: string;
  /** Age identity that decrypts the repository's SOPS files. Secret. */
  ageIdentity: pulumi.Input<string>;
  /** Facts that are passed to the app of apps as values. */
  settings: Record<string, pulumi.Input<string>>;
  /** Secret facts, created as the Secret `cluster-secrets` in Argo CD's namespace. */
  secrets: Record<string, pulumi.Input<string>>;
}

const namespaceName = "argocd";

/** Argo CD, the Secrets that it needs to read the repository and to decrypt its files, and the app of apps. */
export class ArgoCd extends pulumi.ComponentResource {
  constructor(name: string, args: ArgoCdArgs, opts: pulumi.ComponentResourceOptions) {
    super("hearth:gitops:ArgoCd", name, {}, opts);
    const namespace = createNamespace(namespaceName, this);
    const created = this.create(args, namespace);
    const release = installOnce(
      "argo-cd",
      { release: args.release, namespace: namespace.metadata.name, timeout: 900 },
      // Its repository server mounts the age identity.
      { parent: this, dependsOn: created },
    );
    this.startApps(args, [release]);
    this.registerOutputs({});
  }

  private create(
    { repository, ageIdentity, secrets }: ArgoCdArgs,
    namespace: k8s.core.v1.Namespace,
  ): pulumi.Resource[] {
    const labels = { "argocd.argoproj.io/secret-type": "repository" };
    return [
      createSecret("repository", argoCredential(repository), namespace, this, labels),
      createSecret("sops-age", { "age.agekey": ageIdentity }, namespace, this),
      createSecret("cluster-secrets", secrets, namespace, this),
      // Argo CD does not start without this ConfigMap, and the chart's own trusts hosts that nobody chose.
      this.trustHosts(repository.knownHosts ?? "", namespace),
    ];
  }

  private trustHosts(knownHosts: string, namespace: k8s.core.v1.Namespace): pulumi.Resource {
    return new k8s.core.v1.ConfigMap(
      "argocd-ssh-known-hosts-cm",
      {
        metadata: {
          name: "argocd-ssh-known-hosts-cm",
          namespace: namespace.metadata.name,
          labels: { "app.kubernetes.io/part-of": "argocd" },
        },
        data: { ssh_known_hosts: knownHosts },
      },
      { parent: this },
    );
  }

  private startApps({ repository, chart, settings }: ArgoCdArgs, dependsOn: pulumi.Resource[]): void {
    new k8s.apiextensions.CustomResource(
      "apps",
      {
        apiVersion: "argoproj.io/v1alpha1",
        kind: "Application",
        metadata: { name: "apps", namespace: namespaceName },
        spec: {
          project: "default",
          source: {
            repoURL: repository.url,
            targetRevision: repository.branch,
            path: chart,
            helm: {
              valuesObject: {
                repository: { url: repository.url, branch: repository.branch, path: repository.path },
                settings,
              },
            },
          },
          destination: { server: "https://kubernetes.default.svc", namespace: namespaceName },
          syncPolicy: { automated: { prune: true, selfHeal: true } },
        },
      },
      {
        parent: this,
        dependsOn,
        // Argo CD manages itself and its apps after the hand-off. Only the facts belong to the program.
        ignoreChanges: ["metadata.labels", "metadata.annotations", "operation", "status"],
        retainOnDelete: true,
      },
    );
  }
}
