import type * as pulumi from "@pulumi/pulumi";

import { receiverType } from "../components/gitops/webhook.ts";
import { loadBalancerFacts } from "../components/network/facts.ts";
import type { HearthConfig } from "./config/index.ts";
import type { Edge } from "./edge.ts";

/** What the tree may know of its cluster before anything of it exists, by the variable that it substitutes. */
export const plainFacts = ({ cluster, network, cloudflare, gitops }: HearthConfig): Record<string, string> => ({
  cluster_name: cluster.name,
  cluster_endpoint: cluster.endpoint,
  ...(cluster.vip && { cluster_vip: cluster.vip }),
  pod_cidr: cluster.podCidr,
  service_cidr: cluster.serviceCidr,
  ...loadBalancerFacts(network.loadBalancers, network.announce),
  // external-dns tells its records from another cluster's by this.
  txt_owner_id: `hearth-${cluster.name}`,
  webhook_type: receiverType(gitops.repository),
  ...(cloudflare && { domain: cloudflare.zone.name }),
});

/** All that the tree may know of its cluster. */
export const clusterFacts = (config: HearthConfig, edge: Edge | undefined): Record<string, pulumi.Input<string>> => ({
  ...plainFacts(config),
  ...(edge && byTunnel("tunnel_id", edge, ({ tunnelId }) => tunnelId)),
});

/** What only the tree's cluster may know. */
export const clusterSecrets = (edge: Edge | undefined): Record<string, pulumi.Input<string>> =>
  edge ? byTunnel("tunnel_token", edge, ({ token }) => token) : {};

const byTunnel = <T>(variable: string, { tunnel, others }: Edge, pick: (tunnel: Edge["tunnel"]) => T) => ({
  [variable]: pick(tunnel),
  ...Object.fromEntries(
    Object.entries(others).map(([name, other]) => [`${variable}_${name.replaceAll("-", "_")}`, pick(other)]),
  ),
});
