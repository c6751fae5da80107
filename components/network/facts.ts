/** A router that load balancers' addresses are announced to. */
export interface BgpPeer {
  name: string;
  address: string;
  /** Autonomous system number of the router. */
  asn: number;
}

/** How the addresses of load balancers become known to the network. */
export type Announcement = { mode: "l2"; interfaces: string[] } | { mode: "bgp"; asn: number; peers: BgpPeer[] };

/** What the GitOps tree is told of load balancers, by the variable that it substitutes. */
export const loadBalancerFacts = (pool: string, announcement: Announcement): Record<string, string> => ({
  load_balancer_cidr: pool,
  // The tree has a folder for each way, and the cluster's Kustomization picks it by this.
  load_balancer_announcement: announcement.mode,
  ...(announcement.mode === "l2"
    ? { l2_interfaces: JSON.stringify(announcement.interfaces) }
    : { bgp_asn: String(announcement.asn), bgp_peers: JSON.stringify(announcement.peers.map(ciliumPeer)) }),
});

/** A peer as `CiliumBGPClusterConfig` has it. */
const ciliumPeer = ({ name, address, asn }: BgpPeer) => ({
  name,
  peerAddress: address,
  peerASN: asn,
  peerConfigRef: { name: "load-balancers" },
});
