import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";

import { installOnce, type ChartRelease } from "../helm/install-once.ts";
import { fluxInstanceSpec, fluxNamespace } from "./flux-instance.ts";
import { createNamespace, createSecret } from "./created.ts";
import { fluxCredential, type Repository } from "./repository.ts";

export interface FluxArgs {
  /** The flux-operator's chart. */
  operator: ChartRelease;
  /** Release of Flux. @example "v2.9.4" */
  flux: string;
  repository: Repository;
  /** Age identity that decrypts the repository's SOPS files. Secret. */
  ageIdentity: pulumi.Input<string>;
  /** Key that signs push notifications. Secret. */
  webhookToken: pulumi.Input<string>;
  /** Facts that the tree may substitute, by the variable's name. */
  settings: Record<string, pulumi.Input<string>>;
  /** Secret facts that the tree may substitute, by the variable's name. */
  secrets: Record<string, pulumi.Input<string>>;
}

/** Flux, and the Secrets and facts that it needs to read the repository, decrypt its files and substitute variables. */
export class Flux extends pulumi.ComponentResource {
  constructor(name: string, args: FluxArgs, opts: pulumi.ComponentResourceOptions) {
    super("hearth:gitops:Flux", name, {}, opts);
    const namespace = createNamespace(fluxNamespace, this);
    const credential = this.createCredential(args.repository, namespace);
    const created = [...credential, ...this.createSecrets(args, namespace), ...this.handOff(args, namespace)];
    const operator = installOnce(
      "flux-operator",
      { release: args.operator, namespace: namespace.metadata.name, timeout: 600 },
      { parent: this },
    );
    this.startFlux(args, [operator, ...created], credential.length > 0);
    this.registerOutputs({});
  }

  private createCredential(repository: Repository, namespace: k8s.core.v1.Namespace): pulumi.Resource[] {
    const credential = fluxCredential(repository);
    return credential ? [createSecret(fluxNamespace, credential, namespace, this)] : [];
  }

  private createSecrets(args: FluxArgs, namespace: k8s.core.v1.Namespace): pulumi.Resource[] {
    return [
      createSecret("sops-age", { "age.agekey": args.ageIdentity }, namespace, this),
      createSecret("webhook-token", { token: args.webhookToken }, namespace, this),
    ];
  }

  private handOff(args: FluxArgs, namespace: k8s.core.v1.Namespace): pulumi.Resource[] {
    const settings = new k8s.core.v1.ConfigMap(
      "cluster-settings",
      { metadata: { name: "cluster-settings", namespace: namespace.metadata.name }, data: args.settings },
      { parent: this },
    );
    return [settings, createSecret("cluster-secrets", args.secrets, namespace, this)];
  }

  private startFlux({ flux, repository }: FluxArgs, dependsOn: pulumi.Resource[], hasCredential: boolean): void {
    new k8s.apiextensions.CustomResource(
      "flux",
      {
        apiVersion: "fluxcd.controlplane.io/v1",
        kind: "FluxInstance",
        // The operator reconciles an instance of this name only.
        metadata: { name: "flux", namespace: fluxNamespace },
        spec: fluxInstanceSpec({ flux, repository, hasCredential }),
      },
      {
        parent: this,
        dependsOn,
        // Flux upgrades itself after the hand-off. Without this, Pulumi would revert the upgrade.
        ignoreChanges: ["spec", "metadata.labels", "metadata.annotations"],
        // On a destroy the machines go anyway, so the operator need not uninstall Flux and all that Flux applied.
        retainOnDelete: true,
      },
    );
  }
}
