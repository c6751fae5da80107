import { expect } from "chai";

import { firewallDocuments, type Firewall, type FirewallRule } from "../../../components/talos/documents/index.ts";

const ranges = { nodes: ["10.20.0.0/24", "fd00:10:20::/64"], pods: ["10.244.0.0/16", "fd00:10:244::/48"] };
const administrators = ["192.168.7.0/24", "10.20.0.0/24"];

/** The rules of a machine by name. */
const rulesOf = (role: "controlplane" | "worker", changes: Partial<Firewall> = {}): Record<string, FirewallRule> => {
  const firewall = { administrators, rules: {}, tunnel: "vxlan" as const, wireguard: false, gateways: false };
  const [first, ...rules] = firewallDocuments({ ...firewall, ...changes }, ranges, role);
  expect(first).to.deep.equal({ apiVersion: "v1alpha1", kind: "NetworkDefaultActionConfig", ingress: "block" });
  return Object.fromEntries(
    rules.map(({ kind, name, portSelector, ingress }) => {
      expect(kind).to.equal("NetworkRuleConfig");
      return [
        name as string,
        { ...(portSelector as FirewallRule), from: (ingress as { subnet: string }[]).map(({ subnet }) => subnet) },
      ];
    }),
  );
};

describe("a machine's firewall", () => {
  it("lets administrators, nodes and pods reach the APIs, each once", () => {
    const everybody = ["192.168.7.0/24", "10.20.0.0/24", "fd00:10:20::/64", "10.244.0.0/16", "fd00:10:244::/48"];
    expect(rulesOf("worker")["talos-api"]).to.deep.equal({ ports: [50_000], protocol: "tcp", from: everybody });
    expect(rulesOf("controlplane")["kubernetes-api"]).to.deep.equal({
      ports: [6443],
      protocol: "tcp",
      from: everybody,
    });
  });

  it("lets nodes alone reach etcd, trustd, and Cilium's tunnel and keys", () => {
    const rules = rulesOf("controlplane", { wireguard: true });
    expect(["etcd", "trustd", "cilium-tunnel", "cilium-wireguard"].map((name) => rules[name]?.from)).to.deep.equal(
      Array.from({ length: 4 }, () => ranges.nodes),
    );
  });

  it("opens a worker nothing that only control planes answer at", () => {
    const here = rulesOf("controlplane");
    const there = rulesOf("worker");
    expect(Object.keys(here).filter((name) => !(name in there))).to.deep.equal([
      ...["kubernetes-api", "trustd", "etcd", "etcd-metrics"],
    ]);
  });

  it("opens nothing to everywhere but gateways, where the cluster has some", () => {
    const open = (gateways: boolean) =>
      Object.entries(rulesOf("controlplane", { gateways }))
        .filter(([, { from }]) => from.includes("0.0.0.0/0"))
        .map(([name, { ports }]) => [name, ports]);
    expect(open(false)).to.deep.equal([]);
    expect(open(true)).to.deep.equal([["gateways", [80, 443]]]);
  });

  it("opens the ports of the tunnel and of the encryption that Cilium uses", () => {
    const ports = (changes: Partial<Firewall>) => {
      const rules = rulesOf("worker", changes);
      return [rules["cilium-tunnel"]?.ports, rules["cilium-wireguard"]?.ports];
    };
    expect(ports({})).to.deep.equal([[8472], undefined]);
    expect(ports({ tunnel: "geneve", wireguard: true })).to.deep.equal([[6081], [51_871]]);
  });

  it("has the rules of one's own, on machines of their role", () => {
    const nas: FirewallRule = { ports: [2049], protocol: "tcp", from: ["10.20.0.8/32"] };
    const rules = { everywhere: nas, workers: { ...nas, role: "worker" as const } };
    const own = (role: "controlplane" | "worker") => {
      const { everywhere, workers } = rulesOf(role, { rules });
      return [everywhere, workers];
    };
    expect(own("worker")).to.deep.equal([nas, nas]);
    expect(own("controlplane")).to.deep.equal([nas, undefined]);
  });
});
