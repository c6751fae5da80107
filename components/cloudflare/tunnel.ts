import * as cloudflare from "@pulumi/cloudflare";
import * as pulumi from "@pulumi/pulumi";

import { makeSeed } from "../secrets/seed.ts";

/** What the tunnel answers for. */
export interface IngressRule {
  hostname: string;
  /** URL that the connector reaches, such as `http://welcome.apps.svc.cluster.local:80`. */
  service: string;
}

export interface TunnelArgs {
  account: string;
  zoneId: string;
  ingress: IngressRule[];
}

/** A remotely managed Cloudflare tunnel and the records that lead to it. */
export class Tunnel extends pulumi.ComponentResource {
  readonly tunnelId: pulumi.Output<string>;
  /** What a connector proves itself with. Secret. */
  readonly token: pulumi.Output<string>;

  constructor(name: string, args: TunnelArgs, opts: pulumi.ComponentResourceOptions) {
    super("hearth:cloudflare:Tunnel", name, {}, opts);
    const secret = makeSeed("tunnel-secret", this);
    const tunnel = new cloudflare.ZeroTrustTunnelCloudflared(
      name,
      { accountId: args.account, name, configSrc: "cloudflare", tunnelSecret: secret },
      { parent: this },
    );
    this.tunnelId = tunnel.id;
    this.token = pulumi
      .all([tunnel.id, secret])
      .apply(([id, tunnelSecret]) => connectorToken(args.account, id, tunnelSecret));
    this.route(name, tunnel, args);
    this.publish(tunnel, args);
    this.registerOutputs({ tunnelId: this.tunnelId });
  }

  private route(name: string, tunnel: cloudflare.ZeroTrustTunnelCloudflared, args: TunnelArgs): void {
    new cloudflare.ZeroTrustTunnelCloudflaredConfig(
      name,
      {
        accountId: args.account,
        tunnelId: tunnel.id,
        config: { ingresses: [...args.ingress, { service: "http_status:404" }] },
      },
      { parent: this },
    );
  }

  private publish(tunnel: cloudflare.ZeroTrustTunnelCloudflared, args: TunnelArgs): void {
    for (const { hostname } of args.ingress) {
      new cloudflare.DnsRecord(
        hostname,
        {
          zoneId: args.zoneId,
          name: hostname,
          type: "CNAME",
          content: pulumi.interpolate`${tunnel.id}.cfargotunnel.com`,
          proxied: true,
          // Cloudflare's word for "automatic", the only one that proxied records may have.
          ttl: 1,
        },
        { parent: this },
      );
    }
  }
}

/** The token of a connector: what Cloudflare's own endpoint answers, made without asking it. */
export const connectorToken = (account: string, tunnel: string, secret: string): string =>
  Buffer.from(JSON.stringify({ a: account, t: tunnel, s: secret })).toString("base64");
