import * as cloudflare from "@pulumi/cloudflare";
import * as pulumi from "@pulumi/pulumi";

import { makeSeed } from "../secrets/seed.ts";
import { connectorToken } from "./connector-token.ts";
import { ingressOf, type IngressRule } from "./ingress.ts";
import { dnsRecord, type Zone } from "./records.ts";

export interface TunnelArgs {
  account: string;
  zone: Zone;
  /** The first rule that matches is used. A request that matches none gets a 404. */
  ingress: IngressRule[];
  /** Name of the seed that the tunnel's secret is derived from. @default "tunnel-secret" */
  seed?: string;
}

/** A remotely managed Cloudflare tunnel and the DNS records that point to it. */
export class Tunnel extends pulumi.ComponentResource {
  readonly tunnelId: pulumi.Output<string>;
  /** Name that records lead to. */
  readonly target: pulumi.Output<string>;
  /** Token that a connector authenticates with. Secret. */
  readonly token: pulumi.Output<string>;

  constructor(name: string, args: TunnelArgs, opts: pulumi.ComponentResourceOptions) {
    super("hearth:cloudflare:Tunnel", name, {}, opts);
    const secret = makeSeed(args.seed ?? "tunnel-secret", this);
    const tunnel = new cloudflare.ZeroTrustTunnelCloudflared(
      name,
      { accountId: args.account, name, configSrc: "cloudflare", tunnelSecret: secret },
      // Every published host name depends on this tunnel, and a new tunnel gets another name.
      { parent: this, protect: true },
    );
    this.tunnelId = tunnel.id;
    this.target = pulumi.interpolate`${tunnel.id}.cfargotunnel.com`;
    this.token = pulumi
      .all([tunnel.id, secret])
      .apply(([id, tunnelSecret]) => connectorToken(args.account, id, tunnelSecret));
    this.route(name, tunnel, args);
    this.publish(args);
    this.registerOutputs({ tunnelId: this.tunnelId });
  }

  private route(name: string, tunnel: cloudflare.ZeroTrustTunnelCloudflared, args: TunnelArgs): void {
    new cloudflare.ZeroTrustTunnelCloudflaredConfig(
      name,
      { accountId: args.account, tunnelId: tunnel.id, config: { ingresses: ingressOf(args.ingress) } },
      { parent: this },
    );
  }

  /** Creates one record for each public host name. Rules for several paths of a host name share it. */
  private publish({ ingress, zone }: TunnelArgs): void {
    const listed = ingress.filter(({ publicRecord = true }) => publicRecord);
    const first = new Map(listed.toReversed().map((rule) => [rule.hostname, rule]));
    for (const [hostname, { comment, adopt }] of first) {
      // To Cloudflare a TTL of 1 means "automatic", the only value that a proxied record may have.
      const record = { name: hostname, type: "CNAME", ttl: 1, content: this.target, proxied: true, comment, adopt };
      dnsRecord(hostname, zone, record, this);
    }
  }
}
