import { posix } from "node:path";

import type * as pulumi from "@pulumi/pulumi";

import { receiverType, repositoryPage } from "../components/gitops/webhook.ts";
import { ciliumFacts, loadBalancerFacts, type Announcement } from "../components/network/facts.ts";
import { kernelName } from "../components/talos/documents/links.ts";
import type { HearthConfig } from "./config/index.ts";
import { nth } from "./config/ipv4.ts";
import { nth as nth6 } from "./config/ipv6.ts";

/** The properties of a tunnel that are known after its creation. */
export interface TunnelFacts {
  tunnelId: pulumi.Input<string>;
  /** The name that records lead to. */
  target: pulumi.Input<string>;
  /** Secret. */
  token: pulumi.Input<string>;
}

/** The tunnels of a cluster: its own, if it has one, and others by name. */
export interface Tunnels {
  tunnel: TunnelFacts | undefined;
  others: Record<string, TunnelFacts>;
}

/** The facts that are known before the cluster exists, by the variable that the tree substitutes. */
export const plainFacts = ({
  cluster,
  network,
  nodes,
  cloudflare,
  gitops,
  escrow,
}: HearthConfig): Record<string, string> => ({
  cluster_name: cluster.name,
  // Systems find the secrets of their own environment below it.
  cluster_folder: clusterFolder(gitops),
  cluster_endpoint: cluster.endpoint,
  ...(cluster.vip && { cluster_vip: cluster.vip }),
  pod_cidr: cluster.podCidr,
  service_cidr: cluster.serviceCidr,
  ...furtherNetworks(network.networks),
  ...kubeletFacts(cluster, network),
  ...(network.ipv6 && {
    pod_cidr6: network.ipv6.podCidr,
    service_cidr6: network.ipv6.serviceCidr,
    load_balancer_cidr6: network.ipv6.loadBalancers,
  }),
  ...loadBalancerFacts(pools(network), announcementOf(network, nodes)),
  ...ciliumFacts({ ...network, ipv6: network.ipv6 !== undefined }),
  ...wellKnownAddresses(network),
  // external-dns identifies its own records by this owner.
  txt_owner_id: `hearth-${cluster.name}`,
  // Volumes of apps may begin empty until then.
  ...(gitops.emptyUntil && { empty_until: gitops.emptyUntil }),
  webhook_type: receiverType(gitops.repository),
  repository_page: repositoryPage(gitops.repository),
  ...(gitops.flux && { flux_version: gitops.flux.replace(/^v/, "") }),
  ...domainOf(network, cloudflare),
  // Without Cloudflare nobody but the LAN reaches the external gateway.
  ...(!cloudflare && { external_target: nth(network.loadBalancers, 3) }),
  // The recipients of etcd's backups: a file with a line for each, encoded as a one-line YAML string.
  ...(escrow && { escrow_recipients: JSON.stringify(`${escrow.recipients.join("\n")}\n`) }),
});

/** The cluster's folder of the repository, without a dot before it or a slash at its end. */
export const clusterFolder = ({ path }: Pick<HearthConfig["gitops"], "path">): string =>
  posix.normalize(path).replace(/\/$/, "");

/**
 * The folder from which the GitOps engine begins to apply what is the environment's own.
 *
 * Flux reads the cluster's folder itself. Argo CD reads a folder in it, because KSOPS decrypts only what a generator names.
 */
export const entryFolder = (gitops: Pick<HearthConfig["gitops"], "path" | "engine">): string =>
  gitops.engine === "argocd" ? `${clusterFolder(gitops)}/argocd` : clusterFolder(gitops);

const domainOf = (
  { domain }: HearthConfig["network"],
  cloudflare: HearthConfig["cloudflare"],
): Record<string, string> => {
  const known = cloudflare?.zone.name ?? domain;
  return known === undefined ? {} : { domain: known };
};

const pools = ({ loadBalancers, ipv6 }: HearthConfig["network"]): [string, ...string[]] => [
  loadBalancers,
  ...(ipv6 ? [ipv6.loadBalancers] : []),
];

/**
 * How addresses are announced. Where nodes have further networks, they are announced on the nodes' own links alone, as far as
 * those have the kernel's names.
 */
const announcementOf = ({ announce }: HearthConfig["network"], nodes: HearthConfig["nodes"]): Announcement => {
  if (announce.mode !== "l2" || announce.interfaces.length > 0) return announce;
  const all = Object.values(nodes);
  const names = all.map(kernelName);
  if (all.every(({ links }) => Object.keys(links).length === 0) || names.includes(undefined)) return announce;
  const own = [...new Set(names.flatMap((name) => name ?? []))];
  return { ...announce, interfaces: own.map((name) => `^${name.replaceAll(".", String.raw`\.`)}$`) };
};

/** Whether metrics-server has to trust any kubelet, and the addresses that a kubelet may have a certificate for. */
const kubeletFacts = (
  { kubeletCertificates }: HearthConfig["cluster"],
  { subnet, ipv6 }: HearthConfig["network"],
): Record<string, string> => ({
  kubelet_insecure_tls: String(kubeletCertificates === "self"),
  node_subnets: JSON.stringify([subnet, ...(ipv6 ? [ipv6.subnet] : [])]),
});

/** The ranges of further networks, such as `network_storage_cidr`. */
const furtherNetworks = (networks: HearthConfig["network"]["networks"]): Record<string, string> =>
  Object.fromEntries(
    Object.entries(networks).map(([name, { subnet }]) => [`network_${name.replaceAll("-", "_")}_cidr`, subnet]),
  );

/**
 * Addresses of load balancers that routers and people rely on. They are the first of the range, so that they never change. A gateway has
 * one of each family, with a comma between. Source: Cilium v1.20.2, operator/pkg/lbipam/lbipam.go, getSVCRequestedIPs.
 */
const wellKnownAddresses = ({ loadBalancers, ipv6 }: HearthConfig["network"]): Record<string, string> => {
  const each = (index: number): string =>
    [nth(loadBalancers, index), ...(ipv6 ? [nth6(ipv6.loadBalancers, index)] : [])].join(",");
  return {
    dns_address: nth(loadBalancers, 1),
    internal_gateway_address: each(2),
    external_gateway_address: each(3),
  };
};

/** All facts of the cluster that the tree may substitute. */
export const clusterFacts = (
  config: HearthConfig,
  edge: Tunnels | undefined,
): Record<string, pulumi.Input<string>> => ({
  ...plainFacts(config),
  ...(edge && byTunnel("tunnel_id", edge, ({ tunnelId }) => tunnelId)),
  ...(edge?.tunnel && { external_target: edge.tunnel.target }),
});

/** The secret facts of the cluster. */
export const clusterSecrets = (
  edge: Tunnels | undefined,
  signingKey: pulumi.Input<string>,
): Record<string, pulumi.Input<string>> => ({
  ...(edge && byTunnel("tunnel_token", edge, ({ token }) => token)),
  snapshot_signing_key: signingKey,
});

/** A private key in PEM as the tree takes it: its base64 alone, in one line. */
export const inOneLine = (pem: string): string => pem.replaceAll(/-----[A-Z ]+-----|\n/g, "");

const byTunnel = <T>(variable: string, { tunnel, others }: Tunnels, pick: (tunnel: TunnelFacts) => T) => ({
  ...(tunnel && { [variable]: pick(tunnel) }),
  ...Object.fromEntries(
    Object.entries(others).map(([name, other]) => [`${variable}_${name.replaceAll("-", "_")}`, pick(other)]),
  ),
});
