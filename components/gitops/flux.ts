import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";

import type { ChartRelease } from "../network/cilium.ts";

export interface FluxArgs {
  /** The flux-operator's chart. */
  operator: ChartRelease;
  /** Release of Flux. @example "v2.9.4" */
  flux: string;
  /** `ssh://` URL of the repository. */
  repository: string;
  branch: string;
  /** Folder of the repository that is reconciled. */
  path: string;
  /** Lines of known_hosts for the repository's server. */
  knownHosts: string;
  /** Private half of the deploy key. Secret. */
  deployKey: pulumi.Input<string>;
  deployKeyPublic: pulumi.Input<string>;
  /** Identity that opens the repository's SOPS files. Secret. */
  ageIdentity: pulumi.Input<string>;
  /** Facts that the tree may substitute, by variable. */
  settings: Record<string, pulumi.Input<string>>;
  /** Secret facts that the tree may substitute, by variable. */
  secrets: Record<string, pulumi.Input<string>>;
}

const namespaceName = "flux-system";

/** Flux, with what it needs to read the repository, open its secrets and fill in the cluster's facts. */
export class Flux extends pulumi.ComponentResource {
  constructor(name: string, args: FluxArgs, opts: pulumi.ComponentResourceOptions) {
    super("hearth:gitops:Flux", name, {}, opts);
    const namespace = this.namespace();
    const planted = [...this.plantSecrets(args, namespace), ...this.handOff(args, namespace)];
    const operator = this.installOperator(args.operator, namespace);
    this.startFlux(args, [operator, ...planted]);
    this.registerOutputs({});
  }

  private namespace(): k8s.core.v1.Namespace {
    return new k8s.core.v1.Namespace(namespaceName, { metadata: { name: namespaceName } }, { parent: this });
  }

  private plantSecrets(args: FluxArgs, namespace: k8s.core.v1.Namespace): pulumi.Resource[] {
    const age = this.secret("sops-age", { "age.agekey": args.ageIdentity }, namespace);
    const git = this.secret(
      "flux-system",
      { identity: args.deployKey, "identity.pub": args.deployKeyPublic, known_hosts: args.knownHosts },
      namespace,
    );
    return [age, git];
  }

  private handOff(args: FluxArgs, namespace: k8s.core.v1.Namespace): pulumi.Resource[] {
    const settings = new k8s.core.v1.ConfigMap(
      "cluster-settings",
      { metadata: { name: "cluster-settings", namespace: namespace.metadata.name }, data: args.settings },
      { parent: this },
    );
    return [settings, this.secret("cluster-secrets", args.secrets, namespace)];
  }

  private secret(
    name: string,
    data: Record<string, pulumi.Input<string>>,
    namespace: k8s.core.v1.Namespace,
  ): k8s.core.v1.Secret {
    return new k8s.core.v1.Secret(
      name,
      { metadata: { name, namespace: namespace.metadata.name }, stringData: pulumi.secret(data) },
      { parent: this },
    );
  }

  private installOperator(release: ChartRelease, namespace: k8s.core.v1.Namespace): k8s.helm.v3.Release {
    return new k8s.helm.v3.Release(
      "flux-operator",
      {
        name: "flux-operator",
        namespace: namespace.metadata.name,
        chart: release.chart,
        version: release.version,
        values: release.values,
        timeout: 600,
      },
      // Flux upgrades its operator after the hand-off; Pulumi would put it back.
      { parent: this, ignoreChanges: ["chart", "version", "values"] },
    );
  }

  private startFlux(args: FluxArgs, dependsOn: pulumi.Resource[]): k8s.apiextensions.CustomResource {
    return new k8s.apiextensions.CustomResource(
      "flux",
      {
        apiVersion: "fluxcd.controlplane.io/v1",
        kind: "FluxInstance",
        // The operator looks for this name only.
        metadata: { name: "flux", namespace: namespaceName },
        spec: {
          distribution: { version: args.flux.replace(/^v/, ""), registry: "ghcr.io/fluxcd" },
          components: ["source-controller", "kustomize-controller", "helm-controller", "notification-controller"],
          cluster: { type: "kubernetes", networkPolicy: false },
          sync: {
            kind: "GitRepository",
            url: args.repository,
            ref: `refs/heads/${args.branch}`,
            path: args.path,
            pullSecret: "flux-system",
          },
          kustomize: { patches: [rootPatch] },
        },
      },
      {
        parent: this,
        dependsOn,
        // Flux upgrades itself after the hand-off; Pulumi would put it back.
        ignoreChanges: ["spec"],
      },
    );
  }
}

/** Gives the root Kustomization what its files need: decryption and the cluster's facts. */
const rootPatch = {
  target: { kind: "Kustomization", name: "flux-system" },
  patch: JSON.stringify([
    { op: "add", path: "/spec/decryption", value: { provider: "sops", secretRef: { name: "sops-age" } } },
    {
      op: "add",
      path: "/spec/postBuild",
      value: {
        substituteFrom: [
          { kind: "ConfigMap", name: "cluster-settings" },
          { kind: "Secret", name: "cluster-secrets" },
        ],
      },
    },
  ]),
};
