import * as cloudflare from "@pulumi/cloudflare";
import * as k8s from "@pulumi/kubernetes";
import type * as pulumi from "@pulumi/pulumi";
import * as random from "@pulumi/random";

import { Tunnel } from "../components/cloudflare/tunnel.ts";
import { Flux } from "../components/gitops/flux.ts";
import { Cilium } from "../components/network/cilium.ts";
import { RootSecrets } from "../components/secrets/root-secrets.ts";
import { formCluster } from "./cluster.ts";
import type { HearthConfig } from "./config/index.ts";
import { bootMachines } from "./machines.ts";
import type { Tree } from "./tree.ts";

/** Secrets that a person sets with `pulumi config set --secret`. */
export interface ConfiguredSecrets {
  /** API token of Proxmox, `USER@REALM!ID=SECRET`. */
  proxmoxToken: pulumi.Output<string> | undefined;
  cloudflareToken: pulumi.Output<string> | undefined;
  /** Base64 of the age seed, where it is not to be a new one. */
  ageSeed: pulumi.Output<string> | undefined;
  /** Free-form patches of the machine configuration that carry keys. */
  machinePatches?: pulumi.Output<unknown> | undefined;
}

/** What a stack tells its people. */
export interface Outputs {
  /** Public half of the deploy key, to be registered with the repository as read-only. */
  deployKey: pulumi.Output<string>;
  /** Whom the tree's SOPS files are encrypted to. */
  ageRecipient: pulumi.Output<string>;
  kubeconfig: pulumi.Output<string>;
  talosconfig: pulumi.Output<string>;
  /** Identifier of the Cloudflare tunnel, where there is one. */
  tunnel: pulumi.Output<string> | undefined;
}

/** A platform, from machines to GitOps. */
export const program = (config: HearthConfig, configured: ConfiguredSecrets, tree: Tree): Outputs => {
  const { cluster } = config;
  const randomness = new random.Provider("random");

  const machines = bootMachines(config, configured);
  const talosCluster = formCluster(config, configured, machines);
  const kubernetes = new k8s.Provider("kubernetes", {
    kubeconfig: talosCluster.kubeconfig,
    // The resources stay those of this cluster when a certificate in the kubeconfig is renewed.
    clusterIdentifier: cluster.name,
  });
  const network = new Cilium("cilium", { release: tree.cilium }, { provider: kubernetes });
  const secrets = new RootSecrets(
    "root-secrets",
    { cluster: cluster.name, ageSeed: configured.ageSeed, encryptedFiles: tree.encryptedFiles },
    { provider: randomness },
  );
  const tunnel = openTunnel(config, configured, randomness);
  new Flux(
    "flux",
    {
      ...config.gitops,
      operator: tree.fluxOperator,
      ageIdentity: secrets.ageIdentity,
      deployKey: secrets.deployKey,
      deployKeyPublic: secrets.deployKeyPublic,
      settings: clusterFacts(config, tunnel),
      secrets: tunnel ? { tunnel_token: tunnel.token } : {},
    },
    // Pods of Flux need a network.
    { provider: kubernetes, dependsOn: network },
  );

  return {
    deployKey: secrets.deployKeyPublic,
    ageRecipient: secrets.ageRecipient,
    kubeconfig: talosCluster.kubeconfig,
    talosconfig: talosCluster.talosconfig,
    tunnel: tunnel?.tunnelId,
  };
};

const openTunnel = (
  { cluster, cloudflare: edge }: HearthConfig,
  { cloudflareToken }: ConfiguredSecrets,
  randomness: random.Provider,
): Tunnel | undefined =>
  edge &&
  new Tunnel(
    cluster.name,
    { account: edge.account, zoneId: edge.zone.id, ingress: edge.ingress },
    { providers: [new cloudflare.Provider("cloudflare", { apiToken: cloudflareToken }), randomness] },
  );

/** What the tree may know of its cluster, by the variable that it substitutes. */
const clusterFacts = (
  { cluster, network, cloudflare: edge }: HearthConfig,
  tunnel: Tunnel | undefined,
): Record<string, pulumi.Input<string>> => ({
  cluster_name: cluster.name,
  cluster_endpoint: cluster.endpoint,
  ...(cluster.vip && { cluster_vip: cluster.vip }),
  pod_cidr: cluster.podCidr,
  service_cidr: cluster.serviceCidr,
  load_balancer_cidr: network.loadBalancers,
  // external-dns tells its records from another cluster's by this.
  txt_owner_id: `hearth-${cluster.name}`,
  ...(edge && { domain: edge.zone.name }),
  ...(tunnel && { tunnel_id: tunnel.tunnelId }),
});
