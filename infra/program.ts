import * as cloudflare from "@pulumi/cloudflare";
import * as k8s from "@pulumi/kubernetes";
import * as proxmox from "@pulumi/proxmoxve";
import type * as pulumi from "@pulumi/pulumi";
import * as random from "@pulumi/random";
import * as talos from "@pulumi/talos";

import { Tunnel } from "../components/cloudflare/tunnel.ts";
import { Flux } from "../components/gitops/flux.ts";
import type { Machine } from "../components/machines/machine.ts";
import { ProxmoxMachines } from "../components/machines/proxmox.ts";
import { Cilium } from "../components/network/cilium.ts";
import { RootSecrets } from "../components/secrets/root-secrets.ts";
import { TalosCluster } from "../components/talos/cluster.ts";
import { schematicId } from "../components/talos/schematic.ts";
import type { HearthConfig, NodeConfig } from "./config/index.ts";
import type { Tree } from "./tree.ts";

/** Secrets that a person sets with `pulumi config set --secret`. */
export interface ConfiguredSecrets {
  /** API token of Proxmox, `USER@REALM!ID=SECRET`. */
  proxmoxToken: pulumi.Output<string> | undefined;
  cloudflareToken: pulumi.Output<string> | undefined;
  /** Base64 of the age seed, where it is not to be a new one. */
  ageSeed: pulumi.Output<string> | undefined;
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
  const talosCluster = formCluster(config, machines);
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

const bootMachines = (config: HearthConfig, { proxmoxToken }: ConfiguredSecrets): Record<string, Machine> => {
  const nodes = Object.entries(config.nodes);
  const metal = nodes.filter(([, { proxmox: vm }]) => !vm);
  const virtual = nodes.flatMap(([name, node]) =>
    node.proxmox
      ? [[name, { ...node.proxmox, facts: machineFacts(config, node), address: node.address }] as const]
      : [],
  );
  return {
    ...Object.fromEntries(
      metal.map(([name, node]) => [
        name,
        { ...machineFacts(config, node), platform: "metal" as const, address: node.address },
      ]),
    ),
    ...(config.proxmox && virtual.length > 0
      ? new ProxmoxMachines(
          "machines",
          {
            ...config.network,
            ...config.proxmox,
            machines: Object.fromEntries(virtual),
            talos: config.cluster.talos,
            prefixLength: prefixLength(config.network.subnet),
            tags: ["hearth", config.cluster.name],
          },
          {
            provider: new proxmox.Provider("proxmox", {
              endpoint: config.proxmox.endpoint,
              apiToken: proxmoxToken,
              insecure: config.proxmox.insecure,
            }),
          },
        ).machines
      : {}),
  };
};

const machineFacts = (config: HearthConfig, node: NodeConfig) => {
  const { role, mac, installDisk, labels } = node;
  const image = config.images[node.image];
  if (!image) throw new Error(`nodes: ${node.image} is not a profile under images`);
  return { role, mac, installDisk, labels, schematic: schematicId(image) };
};

const formCluster = ({ cluster, network, nodes }: HearthConfig, machines: Record<string, Machine>): TalosCluster =>
  new TalosCluster(
    "talos",
    {
      ...cluster,
      ...network,
      vip: cluster.vip,
      machines,
      prefixLength: prefixLength(network.subnet),
      scheduleOnControlPlanes:
        cluster.scheduleOnControlPlanes ?? Object.values(nodes).every(({ role }) => role === "controlplane"),
    },
    { provider: new talos.Provider("talos") },
  );

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

const prefixLength = (cidr: string): number => Number(cidr.split("/")[1]);
