/** A router that learns the addresses of load balancers over BGP. */
export interface BgpPeer {
  name: string;
  address: string;
  /** Autonomous system number of the router. */
  asn: number;
}

/** How machines speak to all routers. */
export interface BgpSettings {
  /** Number of the cluster's autonomous system. */
  asn: number;
  peers: BgpPeer[];
  /** How routers know machines. The password of all is in the Secret `bgp-password`. @default "none" */
  authentication?: "none" | "password";
  /** Routers between a machine and its peer, plus one. @default 1, a peer in the machine's own network */
  multihop?: number | undefined;
  /** Seconds. */
  timers?: Partial<BgpTimers> | undefined;
}

/** Seconds. Source: RFC 4271, section 8 and 4.2. */
export interface BgpTimers {
  /** Until a machine tries again to connect. @default 120 */
  connectRetry: number;
  /** Without a message after which the other side is lost. @default 90 */
  hold: number;
  /** Between two messages. @default 30 */
  keepAlive: number;
}

/** How the network learns the addresses of load balancers. */
export type Announcement = { mode: "l2"; interfaces: string[] } | ({ mode: "bgp" } & BgpSettings);

/** How nodes encrypt what they send each other. */
export type Encryption =
  | { type: "none" }
  | {
      type: "wireguard";
      /** Whether to encrypt what nodes themselves send too, not only pods. */
      nodes: boolean;
    }
  | { type: "ipsec" };

/** How a node passes on what it gets for a pod on another. */
export type LoadBalancerMode = "snat" | "dsr" | "hybrid";

/** The Secret in kube-system with the password that routers ask for. */
export const bgpPasswordSecret = "bgp-password";

/** The Secret in kube-system that Cilium reads the key of IPsec from. */
export const ipsecKeySecret = "cilium-ipsec-keys";

/**
 * The facts on load balancers for the GitOps tree, by the variable that it substitutes.
 *
 * @param pools the ranges of addresses, IPv4 first
 */
export const loadBalancerFacts = (
  pools: [string, ...string[]],
  announcement: Announcement,
): Record<string, string> => ({
  load_balancer_cidr: pools[0],
  load_balancer_blocks: JSON.stringify(pools.map((cidr) => ({ cidr }))),
  // The tree has a folder for each mode, and the cluster's Kustomization selects one by this variable.
  load_balancer_announcement: announcement.mode,
  ...(announcement.mode === "l2"
    ? { l2_interfaces: JSON.stringify(announcement.interfaces) }
    : {
        bgp_asn: String(announcement.asn),
        bgp_peers: JSON.stringify(announcement.peers.map(ciliumPeer)),
        bgp_peer_config: JSON.stringify(peerConfig(announcement, pools)),
      }),
});

/** A peer in the form of `CiliumBGPClusterConfig`. */
const ciliumPeer = ({ name, address, asn }: BgpPeer) => ({
  name,
  peerAddress: address,
  peerASN: asn,
  peerConfigRef: { name: "load-balancers" },
});

/** What all peers have, as the spec of `CiliumBGPPeerConfig`. Source: cilium/cilium v1.20.2, bgp_peer_types.go. */
const peerConfig = ({ authentication, multihop, timers }: BgpSettings, pools: string[]) => ({
  gracefulRestart: { enabled: true, restartTimeSeconds: 120 },
  ...(timers && {
    timers: {
      ...(timers.connectRetry !== undefined && { connectRetryTimeSeconds: timers.connectRetry }),
      ...(timers.hold !== undefined && { holdTimeSeconds: timers.hold }),
      ...(timers.keepAlive !== undefined && { keepAliveTimeSeconds: timers.keepAlive }),
    },
  }),
  ...(multihop !== undefined && { ebgpMultihop: multihop }),
  ...(authentication === "password" && { authSecretRef: bgpPasswordSecret }),
  families: pools.map((pool) => ({
    afi: pool.includes(":") ? "ipv6" : "ipv4",
    safi: "unicast",
    advertisements: { matchLabels: { "hearth.dev/advertise": "load-balancers" } },
  })),
});

/** What the values of Cilium depend on. */
export interface CiliumSettings {
  /** Whether pods and Services have IPv6 addresses too. */
  ipv6: boolean;
  encryption: Encryption;
  loadBalancerMode: LoadBalancerMode;
}

/**
 * How Cilium carries packets of pods from node to node.
 *
 * Without source addresses being translated, a node tells the other about the client in the tunnel, which only Geneve can.
 * Source: cilium/cilium v1.20.2, pkg/kpr/initializer/kube_proxy_replacement.go.
 */
export const tunnelOf = (mode: LoadBalancerMode): "vxlan" | "geneve" => (mode === "snat" ? "vxlan" : "geneve");

/** The facts for the values of Cilium's chart, by the variable that the tree substitutes. */
export const ciliumFacts = ({ ipv6, encryption, loadBalancerMode: mode }: CiliumSettings): Record<string, string> => ({
  cilium_ipv6: JSON.stringify({ enabled: ipv6 }),
  cilium_encryption: JSON.stringify(
    encryption.type === "none"
      ? { enabled: false }
      : {
          enabled: true,
          type: encryption.type,
          ...(encryption.type === "wireguard" && encryption.nodes && { nodeEncryption: true }),
        },
  ),
  cilium_load_balancer: JSON.stringify(mode === "snat" ? {} : { mode, dsrDispatch: "geneve" }),
  cilium_tunnel_protocol: tunnelOf(mode),
});
