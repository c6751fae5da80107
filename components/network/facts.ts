/** A router that learns the addresses of load balancers over BGP. */
export interface BgpPeer {
  name: string;
  address: string;
  /** Autonomous system number of the router. */
  asn: number;
}

/** How the network learns the addresses of load balancers. */
export type Announcement = { mode: "l2"; interfaces: string[] } | { mode: "bgp"; asn: number; peers: BgpPeer[] };

/** The facts on load balancers for the GitOps tree, by the variable that it substitutes. */
export const loadBalancerFacts = (pool: string, announcement: Announcement): Record<string, string> => ({
  load_balancer_cidr: pool,
  // The tree has a folder for each mode, and the cluster's Kustomization selects one by this variable.
  load_balancer_announcement: announcement.mode,
  ...(announcement.mode === "l2"
    ? { l2_interfaces: JSON.stringify(announcement.interfaces) }
    : { bgp_asn: String(announcement.asn), bgp_peers: JSON.stringify(announcement.peers.map(ciliumPeer)) }),
});

/** A peer in the form of `CiliumBGPClusterConfig`. */
const ciliumPeer = ({ name, address, asn }: BgpPeer) => ({
  name,
  peerAddress: address,
  peerASN: asn,
  peerConfigRef: { name: "load-balancers" },
});
