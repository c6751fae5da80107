import { z } from "zod";

import { says } from "./error.ts";
import { anyCidr, httpsUrl } from "./values.ts";

/** A word of a service's environment or of a line of its configuration. */
const word = (example: string) =>
  z.string().regex(/^[\w.:@/-]+$/, says("is not one word", `write one such as ${example}`));

const configuration = z.string().min(1, says("is empty", "write the service's configuration"));

const tailscale = z.strictObject({
  /** Ranges that the tailnet reaches through these machines. @example ["10.20.0.0/24"] */
  routes: z.array(anyCidr).default([]),
  /** Reach ranges behind other nodes of the tailnet. @default false */
  acceptRoutes: z.boolean().default(false),
  /** Ask the tailnet's name servers. @default false */
  acceptDns: z.boolean().default(false),
  /** Tags that the machines have in the tailnet. @example ["tag:talos"] */
  tags: z
    .array(z.string().regex(/^tag:[a-zA-Z][\w-]*$/, says("is not a tag", "write one such as tag:talos")))
    .default([]),
});

/** Settings of the services that extensions bring. What is secret is in `hearth:serviceSecrets`. */
export const services = z.strictObject({
  /** Joins a tailnet of Tailscale or Headscale, with `authKey` as its secret. */
  tailscale: tailscale.optional(),
  /** Joins a network of NetBird, with `setupKey` as its secret. */
  netbird: z
    .strictObject({
      /** Server of one's own. @default NetBird's @example "https://netbird.example.com" */
      managementUrl: httpsUrl("https://netbird.example.com").optional(),
    })
    .optional(),
  /** Joins networks of ZeroTier. */
  zerotier: z
    .strictObject({
      /** Identifiers of the networks. @example ["8056c2e21c000001"] */
      networks: z
        .array(z.string().regex(/^[0-9a-f]{16}$/, says("is not a network", "write its 16 hexadecimal digits")))
        .min(1, says("is empty", "name at least one")),
    })
    .optional(),
  /** Connects a tunnel of Cloudflare's beside the cluster's own, with `token` as its secret. */
  cloudflared: z
    .strictObject({
      /** Address at which it answers with metrics. @example "localhost:2000" */
      metrics: word("localhost:2000").optional(),
    })
    .optional(),
  /** Connects a site of Pangolin, with `secret` as its secret. */
  newt: z
    .strictObject({
      /** URL of Pangolin. @example "https://pangolin.example.com" */
      endpoint: httpsUrl("https://pangolin.example.com"),
      /** Identifier of the site. @example "2ix2t8xk22ubpfy" */
      id: word("2ix2t8xk22ubpfy"),
    })
    .optional(),
  /** Shuts the machine down when a UPS runs low, with `password` as its secret. */
  "nut-client": z
    .strictObject({
      /** Name of the UPS at its server. @example "ups" */
      ups: word("ups"),
      /** The server, with its port where that is not 3493. @example "nas.example.com" */
      host: word("nas.example.com"),
      /** User of the server. @example "monuser" */
      user: word("monuser"),
    })
    .optional(),
  /** Tells switches about the machine and learns about them. */
  lldpd: z
    .strictObject({
      /** Commands of lldpcli, one a line. @example "configure lldp portidsubtype ifname" */
      configuration,
    })
    .optional(),
  /** Routes by BIRD. */
  bird2: z
    .strictObject({
      /** Content of bird.conf. One with a password belongs in the secret hearth:machinePatches. */
      configuration,
    })
    .optional(),
  /** Uses disks that several paths lead to. */
  multipathd: z
    .strictObject({
      /** Content of multipath.conf. */
      configuration,
    })
    .optional(),
  /** Joins a network of Nebula, with `authority`, and `certificate` and `key` of each node, as its secrets. */
  nebula: z
    .strictObject({
      /** Content of config.yml. It finds ca.crt, node.crt and node.key in /usr/local/etc/nebula. */
      configuration,
    })
    .optional(),
});
