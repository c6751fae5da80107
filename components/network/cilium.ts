import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";

import { installOnce, type ChartRelease } from "../helm/install-once.ts";
import { makeSeed } from "../secrets/seed.ts";
import { bgpPasswordSecret, ipsecKeySecret } from "./facts.ts";
import { ipsecKey } from "./ipsec.ts";

export interface CiliumArgs {
  /** The chart, with values that suit Talos (see `ciliumProblems`). */
  release: ChartRelease;
  /** Whether nodes encrypt by IPsec, whose key the component makes. @default false */
  ipsec?: boolean;
  /** Password that routers ask for. Secret. @default none */
  bgpPassword?: pulumi.Output<string> | undefined;
}

const namespace = "kube-system";

/** Installs Cilium once, which makes the nodes Ready. Afterwards Git manages the release. */
export class Cilium extends pulumi.ComponentResource {
  constructor(name: string, args: CiliumArgs, opts: pulumi.ComponentResourceOptions) {
    super("hearth:network:Cilium", name, {}, opts);
    const secrets = this.createSecrets(args);
    installOnce("cilium", { release: args.release, namespace, timeout: 900 }, { parent: this, dependsOn: secrets });
    this.registerOutputs({});
  }

  /** Agents mount the key of IPsec, so that they do not start without it. */
  private createSecrets({ ipsec, bgpPassword }: CiliumArgs): pulumi.Resource[] {
    return [
      ...(ipsec ? [this.createSecret(ipsecKeySecret, { keys: makeSeed("ipsec-key", this).apply(ipsecKey) })] : []),
      ...(bgpPassword ? [this.createSecret(bgpPasswordSecret, { password: bgpPassword })] : []),
    ];
  }

  private createSecret(name: string, data: Record<string, pulumi.Output<string>>): k8s.core.v1.Secret {
    return new k8s.core.v1.Secret(
      name,
      { metadata: { name, namespace }, stringData: pulumi.secret(data) },
      { parent: this },
    );
  }
}
