import * as k8s from "@pulumi/kubernetes";
import type * as pulumi from "@pulumi/pulumi";
import * as random from "@pulumi/random";
import * as talos from "@pulumi/talos";

import { Cilium, type CiliumArgs } from "../components/network/cilium.ts";
import { RootSecrets } from "../components/secrets/root-secrets.ts";
import { bindGroups } from "./access.ts";
import { formCluster } from "./cluster.ts";
import type { HearthConfig } from "./config/index.ts";
import type { ConfiguredSecrets } from "./configured-secrets.ts";
import { openEdge } from "./edge.ts";
import { recordEscrow } from "./escrow.ts";
import { handOver, registerRepository } from "./gitops.ts";
import { registerImages } from "./images.ts";
import { bootMachines } from "./machines.ts";
import type { Tree } from "./tree.ts";

/** The outputs of a stack. */
export interface Outputs {
  /** Public half of the deploy key, which has to be registered with the repository as read-only. */
  deployKey: pulumi.Output<string>;
  /** Recipient of the tree's SOPS files. */
  ageRecipient: pulumi.Output<string>;
  kubeconfig: pulumi.Output<string>;
  talosconfig: pulumi.Output<string>;
  /** Identifier of the Cloudflare tunnel, if there is one. */
  tunnel: pulumi.Output<string> | undefined;
  /** Fingerprint of the root secrets that the escrow has to hold. */
  escrow: pulumi.Output<string>;
}

/** Declares a whole platform, from machines to GitOps. */
export const program = (config: HearthConfig, configured: ConfiguredSecrets, tree: Tree): Outputs => {
  const { cluster } = config;
  const randomness = new random.Provider("random");

  const provider = new talos.Provider("talos", { imageFactoryUrl: config.imageFactory });
  const imageProfiles = registerImages(config, provider);
  const machines = bootMachines(config, configured, imageProfiles);
  const secrets = new RootSecrets(
    "root-secrets",
    { cluster: cluster.name, ageSeed: configured.ageSeed, encryptedFiles: tree.encryptedFiles },
    { provider: randomness },
  );
  const talosCluster = formCluster(config, configured, machines, {
    provider,
    imageProfiles,
    diskRecoveryKey: secrets.diskRecoveryKey,
  });
  const kubernetes = new k8s.Provider("kubernetes", {
    kubeconfig: talosCluster.kubeconfig,
    // Without this, a renewed certificate in the kubeconfig would replace all resources.
    clusterIdentifier: cluster.name,
  });
  // Resources in the cluster are deleted with its machines, so a destroy need not call an API that is going away.
  const inCluster = { provider: kubernetes, deletedWith: talosCluster };
  bindGroups(config, inCluster);
  const network = new Cilium("cilium", ciliumArgs(config, configured, tree), {
    providers: [kubernetes, randomness],
    deletedWith: talosCluster,
  });
  const edge = openEdge(config, configured, randomness);
  const escrow = recordEscrow(config, configured, { cluster: talosCluster, secrets, edge });
  registerRepository(config, configured, secrets);
  // Flux's pods need a network.
  handOver(config, configured, { secrets, edge, tree }, { ...inCluster, dependsOn: network });

  return {
    deployKey: secrets.deployKeyPublic,
    ageRecipient: secrets.ageRecipient,
    kubeconfig: talosCluster.kubeconfig,
    talosconfig: talosCluster.talosconfig,
    tunnel: edge?.tunnel?.tunnelId,
    escrow: escrow.fingerprint,
  };
};

const ciliumArgs = ({ network }: HearthConfig, { bgpPassword }: ConfiguredSecrets, tree: Tree): CiliumArgs => ({
  release: tree.cilium,
  ipsec: network.encryption.type === "ipsec",
  bgpPassword:
    network.announce.mode === "bgp" && network.announce.authentication === "password" ? bgpPassword : undefined,
});
