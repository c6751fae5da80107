import * as cloudflare from "@pulumi/cloudflare";
import type * as pulumi from "@pulumi/pulumi";
import type * as random from "@pulumi/random";

import { Records } from "../components/cloudflare/records.ts";
import { Tunnel } from "../components/cloudflare/tunnel.ts";
import { webhookRule } from "../components/gitops/webhook.ts";
import type { HearthConfig } from "./config/index.ts";

/** The tunnels through which the Internet reaches a cluster. */
export interface Edge {
  /** The cluster's own tunnel, if it has one. */
  tunnel: Tunnel | undefined;
  /** Further tunnels by name. */
  others: Record<string, Tunnel>;
}

/** Creates the tunnels and records. Returns undefined without the key `cloudflare`. */
export const openEdge = (
  { cluster, cloudflare: edge }: HearthConfig,
  { cloudflareToken }: { cloudflareToken: pulumi.Output<string> | undefined },
  randomness: random.Provider,
): Edge | undefined => {
  if (!edge) return undefined;
  const { account, zone } = edge;
  const provider = new cloudflare.Provider("cloudflare", { apiToken: cloudflareToken });
  const opts = { providers: [provider, randomness] };
  const webhook = edge.webhook ? [webhookRule(edge.webhook)] : [];
  const tunnel = edge.tunnel
    ? new Tunnel(cluster.name, { account, zone, ingress: [...webhook, ...edge.ingress] }, opts)
    : undefined;
  const others = Object.entries(edge.tunnels).map(([name, { ingress }]): [string, Tunnel] => [
    name,
    new Tunnel(name, { account, zone, ingress, seed: `tunnel-secret-${name}` }, opts),
  ]);
  if (edge.records.length > 0) new Records("records", { zone, records: edge.records }, { providers: [provider] });
  return { tunnel, others: Object.fromEntries(others) };
};
