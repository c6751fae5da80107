import { expect } from "chai";
import fc from "fast-check";

import { ciliumProblems, type CiliumNeeds } from "../../../../components/network/cilium-values.ts";
import { parseConfig } from "../../../../infra/config/index.ts";
import { readTree } from "../../../../infra/tree.ts";
import { rawConfig } from "../../../support/stack.ts";

const needs: CiliumNeeds = { announcement: "l2", gatewayApi: true };

type Values = Record<string, unknown>;

const committed = (): Values => structuredClone(readTree(parseConfig("dev", rawConfig("dev"))).cilium.values);

/** The committed values, with one changed; undefined takes it away. */
const changed = (path: string, value: unknown): Values => {
  const values = committed();
  const keys = path.split(".");
  const last = keys.pop() ?? "";
  const parent = keys.reduce<Values>((inner, key) => inner[key] as Values, values);
  parent[last] = value;
  if (value === undefined) Reflect.deleteProperty(parent, last);
  return values;
};

const messages = (values: Values, wanted = needs): string[] =>
  ciliumProblems(values, wanted).map(({ path, problem, advice }) => `${path.join(".")}: ${problem}; ${advice}`);

describe("Cilium's values", () => {
  it("suit Talos as committed, whatever announces addresses", () => {
    expect(messages(committed())).to.deep.equal([]);
    expect(messages(committed(), { announcement: "bgp", gatewayApi: true })).to.deep.equal([]);
  });

  const bad: [what: string, path: string, value: unknown, message: string][] = [
    [
      "pod addresses from Cilium",
      "ipam.mode",
      "cluster-pool",
      "ipam.mode: cluster-pool does not suit Talos; write kubernetes: Talos gives each node its range of pod addresses",
    ],
    [
      "kube-proxy left to do",
      "kubeProxyReplacement",
      false,
      "kubeProxyReplacement: false does not suit Talos; write true: Hearth's machines run no kube-proxy",
    ],
    [
      "no way to the API",
      "k8sServiceHost",
      undefined,
      "k8sServiceHost: is missing; write localhost: KubePrism is each machine's own way to the API",
    ],
    [
      "the API's own port",
      "k8sServicePort",
      6443,
      "k8sServicePort: 6443 does not suit Talos; write 7445: KubePrism listens there",
    ],
    [
      "automount misspelt",
      "cgroup",
      { automount: { enabled: false }, hostRoot: "/sys/fs/cgroup" },
      "cgroup.autoMount.enabled: is missing; write cgroup.autoMount.enabled: false in place of cgroup.automount.enabled, " +
        "which Helm ignores: Talos has mounted control groups already",
    ],
    [
      "another place for control groups",
      "cgroup.hostRoot",
      "/run/cilium/cgroupv2",
      "cgroup.hostRoot: /run/cilium/cgroupv2 does not suit Talos; write /sys/fs/cgroup: that is where Talos has mounted " +
        "control groups",
    ],
    [
      "SYS_MODULE",
      "securityContext.capabilities.ciliumAgent",
      ["SYS_MODULE", "NET_ADMIN"],
      "securityContext.capabilities.ciliumAgent: SYS_MODULE is refused by Talos, which lets no pod load modules; remove it",
    ],
    [
      "a capability too few",
      "securityContext.capabilities.cleanCiliumState",
      ["NET_ADMIN", "SYS_ADMIN"],
      "securityContext.capabilities.cleanCiliumState: lacks SYS_RESOURCE; write [NET_ADMIN, SYS_ADMIN, SYS_RESOURCE]",
    ],
    [
      "the chart's own capabilities",
      "securityContext.capabilities.cleanCiliumState",
      undefined,
      "securityContext.capabilities.cleanCiliumState: is missing, and the chart's own list has SYS_MODULE; " +
        "write [NET_ADMIN, SYS_ADMIN, SYS_RESOURCE]",
    ],
    [
      "BPF host routing",
      "bpf.hostLegacyRouting",
      false,
      "bpf.hostLegacyRouting: false does not suit Talos; write true: CoreDNS times out otherwise, as Talos forwards it to " +
        "the host",
    ],
    [
      "no devices for L2",
      "devices",
      "",
      "devices: is empty, and L2 announcements go out on named devices only (Cilium 1.19 and later); " +
        "name the machines' links, such as [en+, eth+]",
    ],
    [
      "L2 announcements off where the stack wants them",
      "l2announcements.enabled",
      false,
      "l2announcements.enabled: is off, and network.announce has mode: l2; write true",
    ],
    [
      "HTTP/2 off at gateways",
      "gatewayAPI.enableAlpn",
      false,
      "gatewayAPI.enableAlpn: is off, and gateways would not speak HTTP/2 to clients and services; write true",
    ],
  ];
  for (const [what, path, value, message] of bad) {
    it(`are refused for ${what}`, () => {
      expect(messages(changed(path, value))).to.deep.equal([message]);
    });
  }

  it("are refused for BGP that is off where the stack has peers", () => {
    const values = changed("bgpControlPlane.enabled", false);
    expect(messages(values, { announcement: "bgp", gatewayApi: true })).to.have.lengthOf(1);
  });

  it("are refused for gateways without their definitions", () => {
    expect(messages(committed(), { ...needs, gatewayApi: false })).to.deep.equal([
      "gatewayAPI.enabled: true needs the Gateway API's definitions before Cilium starts; " +
        "name their release as network.gatewayApi in the stack file, or write false",
    ]);
  });

  it("are refused if no device is a link with machines' addresses", () => {
    const wanted = { ...needs, links: ["net0.100", "bond0", "bond0.20"] };
    expect(messages(committed(), wanted)).to.deep.equal([]);
    expect(messages(changed("devices", ["en+", "eth+"]), wanted)).to.deep.equal([
      "devices: matches no net0.100 or bond0 or bond0.20, where machines have their addresses, so that they would lose " +
        "their network; add net+ and bond+",
    ]);
    expect(messages(changed("devices", "net0.100 bond0"), wanted)).to.deep.equal([
      "devices: matches no bond0.20, where machines have their addresses, so that they would lose their network; add bond+",
    ]);
  });

  it("are refused where they are not of the families and the encryption that the stack has", () => {
    expect(messages(committed(), { ...needs, ipv6: true, encryption: "wireguard" })).to.deep.equal([
      "ipv6.enabled: is off, and the stack file has network.ipv6; write ipv6: ${cilium_ipv6}",
      "encryption: is of type none, and network.encryption of type wireguard; write encryption: ${cilium_encryption}",
    ]);
    expect(messages(changed("ipv6.enabled", true))).to.deep.equal([
      "ipv6.enabled: is on, and the stack file has no network.ipv6; write ipv6: ${cilium_ipv6}",
    ]);
    expect(messages(changed("encryption.enabled", true))).to.deep.equal([
      "encryption: is of type ipsec, and network.encryption of type none; write encryption: ${cilium_encryption}",
    ]);
  });

  it("are refused where the pod's node answers by a tunnel that cannot tell it the client", () => {
    expect(messages(changed("loadBalancer", { mode: "dsr" }))).to.deep.equal([
      "loadBalancer.mode: dsr needs the tunnel geneve; write dsrDispatch: geneve beside it, and tunnelProtocol: geneve",
    ]);
    const values = { ...changed("tunnelProtocol", "geneve"), loadBalancer: { mode: "dsr", dsrDispatch: "geneve" } };
    expect(messages(values)).to.deep.equal([]);
  });

  it("may do without gateways, and without devices where nothing is announced by L2", () => {
    expect(messages(changed("gatewayAPI", undefined), { ...needs, gatewayApi: false })).to.deep.equal([]);
    const values = { ...changed("devices", undefined), l2announcements: { enabled: false } };
    expect(messages(values, { announcement: "bgp", gatewayApi: true })).to.deep.equal([]);
  });

  it("are looked at whatever they are", () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (values) => {
        expect(ciliumProblems(values, needs)).to.not.be.empty;
      }),
    );
  });
});
