import { documentOf, type TalosDocument } from "./document.ts";

/** What machines let in. They block everything else. */
export interface Firewall {
  /** Ranges from which people reach the Talos API and the Kubernetes API. */
  administrators: string[];
  /** Further rules by name. */
  rules: Record<string, FirewallRule>;
  /** How Cilium carries packets of pods from node to node. */
  tunnel: "vxlan" | "geneve";
  /** Whether Cilium encrypts by WireGuard. */
  wireguard: boolean;
  /** Whether Cilium's gateways answer. */
  gateways: boolean;
}

/** Ports that machines answer at, and from where. */
export interface FirewallRule {
  ports: (number | string)[];
  protocol: "tcp" | "udp";
  from: string[];
  /** The machines that it is for. @default all */
  role?: "controlplane" | "worker" | undefined;
}

/** The ranges of a cluster. */
export interface FirewallRanges {
  /** Subnets of the nodes, one of each family. */
  nodes: string[];
  /** Ranges of pods, one of each family. */
  pods: string[];
}

const everywhere = ["0.0.0.0/0", "::/0"];

/**
 * The rules that a cluster needs, by name.
 *
 * A pod that calls its own node is seen with its own address, on other nodes perhaps with its node's. So what pods may call is open to both.
 * What pods send each other is no business of this firewall: Talos lets packets between their ranges pass.
 *
 * - Talos: siderolabs/talos v1.13.9, pkg/machinery/constants, and the firewall of `talosctl cluster create`.
 * - Cilium: cilium/cilium v1.20.2, Documentation/operations/system_requirements.rst. Requests at gateways come to Envoy on the node,
 *   with the load balancer's address and port.
 * - BGP needs no rule: Cilium connects to the router, and listens on no port unless a node's annotation says so.
 */
export const clusterRules = (
  { administrators, tunnel, wireguard, gateways }: Omit<Firewall, "rules">,
  { nodes, pods }: FirewallRanges,
): Record<string, FirewallRule> => {
  const cluster = [...nodes, ...pods];
  const people = [...new Set([...administrators, ...cluster])];
  const tcp = (from: string[], ports: (number | string)[]) => ({ protocol: "tcp" as const, from, ports });
  const udp = (from: string[], ports: number[]) => ({ protocol: "udp" as const, from, ports });
  const controlPlane = { role: "controlplane" as const };
  return {
    "talos-api": tcp(people, [50_000]),
    kubelet: tcp(cluster, [10_250]),
    "cilium-tunnel": udp(nodes, [tunnel === "vxlan" ? 8472 : 6081]),
    // Probes of other nodes, and Hubble.
    cilium: tcp(cluster, [4240, 4244]),
    ...(wireguard && { "cilium-wireguard": udp(nodes, [51_871]) }),
    // Of node-exporter, and of Cilium's agent, operator and Envoy.
    metrics: tcp(cluster, [9100, "9962-9964"]),
    ...(gateways && { gateways: tcp(everywhere, [80, 443]) }),
    "kubernetes-api": { ...tcp(people, [6443]), ...controlPlane },
    trustd: { ...tcp(nodes, [50_001]), ...controlPlane },
    etcd: { ...tcp(nodes, ["2379-2380"]), ...controlPlane },
    // Where a patch lets etcd listen there.
    "etcd-metrics": { ...tcp(cluster, [2381]), ...controlPlane },
  };
};

/** The names of all rules that a cluster may need. */
export const clusterRuleNames = Object.keys(
  clusterRules({ administrators: [], tunnel: "vxlan", wireguard: true, gateways: true }, { nodes: [], pods: [] }),
);

/** Renders the documents of a machine's firewall. */
export const firewallDocuments = (
  firewall: Firewall,
  ranges: FirewallRanges,
  role: "controlplane" | "worker",
): TalosDocument[] => [
  documentOf("NetworkDefaultActionConfig", { ingress: "block" }),
  ...Object.entries({ ...clusterRules(firewall, ranges), ...firewall.rules })
    .filter(([, rule]) => rule.role === undefined || rule.role === role)
    .map(([name, { ports, protocol, from }]) =>
      documentOf("NetworkRuleConfig", {
        name,
        portSelector: { ports, protocol },
        ingress: from.map((subnet) => ({ subnet })),
      }),
    ),
];
