import { z } from "zod";

import { domain } from "./cloudflare.ts";
import { says } from "./error.ts";
import { firewall } from "./firewall.ts";
import { address, address6, anyAddress, cidr, cidr6, name, release, vlan } from "./values.ts";

const atLeastOne = says("is empty", "name at least one");

/** An autonomous system number. 0, 23456 and the last of 16 and 32 bits are reserved (RFC 7607, 6793, 7300). */
const asn = z
  .int(says("is not a number of an autonomous system", "write one such as 64512"))
  .min(1, says("is not a number of an autonomous system", "write one such as 64512"))
  .max(4_294_967_294, says("is not a number of an autonomous system", "write one such as 64512"))
  .refine((value) => value !== 23456 && value !== 65535, {
    error: says("is a reserved number", "use a private one, from 64512 to 65534"),
  });

/** Seconds of a timer. Source: cilium/cilium v1.20.2, pkg/k8s/apis/cilium.io/v2/bgp_peer_types.go. */
const seconds = (least: number) =>
  z
    .int(says("is not a number of seconds", `give ${least} to 65535`))
    .min(least, says("is less than BGP takes", `give ${least} to 65535`))
    .max(65_535, says("is more than BGP takes", `give ${least} to 65535`));

const encryption = z.discriminatedUnion(
  "type",
  [
    z.strictObject({
      /** Nodes encrypt nothing. */
      type: z.literal("none"),
    }),
    z.strictObject({
      /** By WireGuard, with keys that Cilium makes for each node. */
      type: z.literal("wireguard"),
      /**
       * Encrypt what nodes themselves send too, such as what gateways pass on. Control planes do not take part in that.
       *
       * @default false
       */
      nodes: z.boolean().default(false),
    }),
    z.strictObject({
      /** By IPsec, with keys that each pair of nodes derives from one that the program makes. */
      type: z.literal("ipsec"),
    }),
  ],
  { error: says("is not a way of encryption", "write type: none, wireguard or ipsec") },
);

const announcement = z.discriminatedUnion(
  "mode",
  [
    z.strictObject({
      /** Machines answer ARP requests for the addresses in their own network segment. */
      mode: z.literal("l2"),
      /** Regular expressions of the links to answer on. @default every link that Cilium manages */
      interfaces: z.array(z.string().min(1, says("is empty", "write one such as ^eth0$"))).default([]),
    }),
    z.strictObject({
      /** Machines announce the addresses to routers. */
      mode: z.literal("bgp"),
      /** Number of the cluster's autonomous system. */
      asn,
      /** Routers that learn the addresses. */
      peers: z
        .array(
          z.strictObject({
            /** Name of the router in Cilium's resources. */
            name,
            /** Address of the router, of either family. @example "10.30.0.1" */
            address: anyAddress,
            /** Number of the router's autonomous system. @example 64512 */
            asn,
          }),
        )
        .min(1, atLeastOne),
      /** How routers know machines. The password of all is the secret `hearth:bgpPassword`. @default "none" */
      authentication: z.enum(["none", "password"]).default("none"),
      /** Routers between a machine and its peers, plus one. @default 1, peers in the machines' own network */
      multihop: z
        .int(says("is not a number of hops", "give 2 to 255"))
        .min(2, says("is the default", "remove it, or give 2 to 255"))
        .max(255, says("is more than an IP packet's time to live", "give 2 to 255"))
        .optional(),
      /** Timers of the sessions, in seconds. */
      timers: z
        .strictObject({
          /** Seconds until a machine tries again to connect. @default 120 */
          connectRetry: seconds(1).optional(),
          /** Seconds without a message after which the other side counts as lost. The lower of both sides' is used. @default 90 */
          hold: seconds(3).optional(),
          /** Seconds between two messages, a third of hold at most. @default 30 */
          keepAlive: seconds(1).optional(),
        })
        .optional(),
    }),
  ],
  { error: says("is not a way of announcing addresses", "write mode: l2, or mode: bgp with asn and peers") },
);

/** Names that links have already. Source: systemd.net-naming-scheme(7); Cilium's and Talos's own links. */
const taken = /^((net|bond|eth|br|dummy|lo|veth|wg|tun|tap)\d*|(en|wl)[opsx]\d.*|(cilium|lxc|siderolink|kubespan).*)$/;

/** A link has at most 15 characters, of which a VLAN may need five. Source: Linux, IFNAMSIZ. */
const networkName = name
  .max(10, says("is longer than the name of a link may be", "use at most 10 characters, such as storage"))
  .refine((value) => !taken.test(value), says("is a name that links of machines have", "use another, such as storage"));

/** A network beside the machines' own. */
const further = z.strictObject({
  /** Subnet of the network. @example "10.50.0.0/24" */
  subnet: cidr,
  /** IPv6 subnet of the network. @example "fd00:10:50::/64" */
  subnet6: cidr6.optional(),
  /** Tag of the VLAN that machines themselves add. */
  vlan: vlan.optional(),
  /** MTU in bytes. @default the link's own */
  mtu: z.int().min(1280, says("is less than IPv6 needs", "give 1280 to 9216")).max(9216).optional(),
});

/** What makes a cluster one of both families. */
const ipv6 = z.strictObject({
  /** IPv6 subnet that machines are in. Each node has its `address6` in it. @example "fd00:10:20::/64" */
  subnet: cidr6,
  /** IPv6 address of the router. @default the one that announces itself by router advertisements */
  gateway: address6.optional(),
  /** IPv6 range of pods. Every node gets a /64 of it. @example "fd00:10:244::/48" */
  podCidr: cidr6,
  /** IPv6 range of Services, a /108 or smaller. @example "fd00:10:96::/112" */
  serviceCidr: cidr6,
  /** IPv6 range that Cilium assigns to Services of type LoadBalancer. @example "fd00:10:20::1:0/112" */
  loadBalancers: cidr6,
  /** IPv6 address that the control planes share, beside `cluster.vip`. @example "fd00:10:20::10" */
  vip: address6.optional(),
});

export const networkSchema = z.strictObject({
  /** Subnet that machines are in. @example "10.20.0.0/24" */
  subnet: cidr,
  /**
   * Domain of the cluster's names, `${domain}` in the tree, for a stack without `cloudflare`. Only the LAN resolves it.
   *
   * @default the zone's
   * @example "home.arpa"
   */
  domain: z.string().regex(domain, says("is not a domain", "write one such as home.arpa")).optional(),
  /** Router of the subnet. @example "10.20.0.1" */
  gateway: address,
  /** DNS servers of machines. @example ["10.20.0.1"] */
  nameservers: z.array(anyAddress).min(1, atLeastOne),
  /** NTP servers of machines. @example ["time.cloudflare.com"] */
  timeServers: z.array(z.string()).min(1, atLeastOne),
  /** Range that Cilium assigns to Services of type LoadBalancer. @example "10.20.0.192/26" */
  loadBalancers: cidr,
  /** The IPv6 side of the network. With it nodes, pods, Services and load balancers have addresses of both families. @default none */
  ipv6: ipv6.optional(),
  /**
   * Range that the network's DHCP server gives out, first and last address. It has no effect but that fixed addresses in it are refused.
   *
   * @default none
   * @example "10.20.0.100-10.20.0.180"
   */
  dhcpRange: z
    .string()
    .refine(
      (value) => value.split("-").length === 2 && value.split("-").every((end) => address.safeParse(end).success),
      says("is not a range of addresses", "write the first and the last, such as 10.20.0.100-10.20.0.180"),
    )
    .optional(),
  /**
   * Further networks by name, such as one for storage. Nodes connect to them by `links`.
   *
   * @example { storage: { subnet: 10.50.0.0/24, vlan: 50, mtu: 9000 } }
   */
  networks: z.record(networkName, further).default({}),
  /** How the network learns that range. @default by L2 on every link */
  announce: announcement.default({ mode: "l2", interfaces: [] }),
  /**
   * How nodes encrypt what pods on one send to pods on another.
   *
   * @default none
   * @example { type: wireguard }
   */
  encryption: encryption.default({ type: "none" }),
  /**
   * How a node passes on requests for a pod on another. With `snat` the answer goes back by it, and the pod sees the node's address.
   * With `dsr` the pod's node answers the client itself; with `hybrid` it does for TCP. A change interrupts connections between nodes.
   *
   * @default "snat"
   */
  loadBalancerMode: z.enum(["snat", "dsr", "hybrid"]).default("snat"),
  /**
   * What machines let in. With it they block everything that neither the cluster needs nor a rule names.
   *
   * @default none, machines block nothing
   * @example { administrators: [10.20.0.0/24] }
   */
  firewall: firewall.optional(),
  /** Release of the Gateway API whose CRDs Talos installs before Cilium starts. @default none */
  gatewayApi: release.optional(),
});
