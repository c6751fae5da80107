import type { Change } from "../../../support/changes.ts";
import type { BadConfiguration } from "./bad-configurations.ts";

const firewall = (settings: object): Change => ["network/firewall", { administrators: ["10.20.0.0/24"], ...settings }];
const rule = (settings: object): Change =>
  firewall({ rules: { nas: { ports: [2049], from: ["10.20.0.8/32"], ...settings } } });
const patches = (...all: object[]): Change => [
  "cluster/patches",
  { all: all.map((patch) => ({ apiVersion: "v1alpha1", ...patch })) },
];
const block = { kind: "NetworkDefaultActionConfig", ingress: "block" };
const port = (...ports: (number | string)[]) => ({
  ...{ kind: "NetworkRuleConfig", name: "own", ingress: [{ subnet: "10.20.0.0/24" }] },
  portSelector: { ports, protocol: "tcp" },
});

/** Mistakes in what machines let in. */
export const badFirewalls: BadConfiguration[] = [
  {
    what: "a firewall with a rule of one's own, and a patch with one more",
    stack: "dev",
    changes: [rule({ protocol: "udp" }), patches(port(8080))],
    problems: [],
    warnings: [],
  },
  {
    what: "a firewall without administrators",
    stack: "dev",
    changes: [["network/firewall", { administrators: [] }]],
    problems: [["network.firewall.administrators", "is empty", "name at least one range, such as 10.20.0.0/24"]],
  },
  {
    what: "a firewall that lets administrators in by IPv6 alone",
    stack: "dev",
    changes: [firewall({ administrators: ["fd00:10:20::/64"] })],
    problems: [
      [
        "network.firewall.administrators",
        "has no IPv4 range, and machines are reached by their IPv4 address, so nobody would reach them any more",
        "add the range of the computers that run Hearth, such as 10.20.0.0/24",
      ],
    ],
  },
  {
    what: "administrators among pods and among load balancers",
    stack: "dev",
    changes: [firewall({ administrators: ["10.20.0.0/24", "10.244.0.0/24", "10.20.0.192/28"] })],
    problems: [
      [
        "network.firewall.administrators.1",
        "10.244.0.0/24 is in cluster.podCidr, where no computer of a person is",
        "write the range of the computers that people use",
      ],
      [
        "network.firewall.administrators.2",
        "10.20.0.192/28 is in network.loadBalancers, where no computer of a person is",
        "write the range of the computers that people use",
      ],
    ],
  },
  {
    what: "an address in place of a range in a rule",
    stack: "dev",
    changes: [rule({ from: ["10.20.0.8"] })],
    problems: [["network.firewall.rules.nas.from.0", "10.20.0.8 is not a range", "write one such as 10.20.0.0/24"]],
  },
  {
    what: "a rule for ports that are none",
    stack: "dev",
    changes: [rule({ ports: [0, "8080-8070", "http"] })],
    problems: [0, 1, 2].map((index) => [
      `network.firewall.rules.nas.ports.${index.toString()}`,
      `${["0", "8080-8070", "http"][index] ?? ""} is not a port`,
      "write one such as 8080, or a range such as 7000-7099",
    ]),
  },
  {
    what: "a rule whose ports overlap",
    stack: "dev",
    changes: [rule({ ports: ["2000-2100", 2049] })],
    problems: [
      [
        "network.firewall.rules.nas.ports.1",
        "2049 overlaps 2000-2100, and Talos refuses such a rule",
        "write each port once",
      ],
    ],
  },
  {
    what: "a rule that opens the Talos API to others than administrators",
    stack: "dev",
    changes: [rule({ ports: ["49000-51000"] })],
    problems: [
      [
        "network.firewall.rules.nas.ports.0",
        "49000-51000 opens the Talos API, port 50000, which administrators reach",
        "add the range to network.firewall.administrators, and leave the port out here",
      ],
    ],
  },
  {
    what: "a rule with the name of one of Hearth's",
    stack: "dev",
    changes: [firewall({ rules: { etcd: { ports: [2381], from: ["10.20.0.8/32"] } } })],
    problems: [
      [
        "network.firewall.rules.etcd",
        "is the name of a rule that Hearth writes",
        "give it another name, and the ports that are missing",
      ],
    ],
  },
  {
    what: "a rule for workers where there are none",
    stack: "prod",
    changes: [
      [
        "network/firewall",
        { administrators: ["10.30.0.0/24"], rules: { nas: { ports: [2049], from: ["10.30.0.8/32"], role: "worker" } } },
      ],
    ],
    problems: [],
    warnings: [
      [
        "network.firewall.rules.nas.role",
        "no node is a worker, so no machine has this rule",
        "remove the role, or the rule",
      ],
    ],
  },
  {
    what: "a firewall with IPsec",
    stack: "dev",
    changes: [firewall({}), ["network/encryption", { type: "ipsec" }]],
    problems: [
      [
        "network.firewall",
        "blocks ESP, the packets of IPsec, for which Talos has no rule",
        "use encryption: { type: wireguard }, or no firewall",
      ],
    ],
  },
  {
    what: "a patch that blocks the Talos API",
    stack: "dev",
    changes: [patches(block, port(6443))],
    problems: [
      [
        "cluster.patches.all.0",
        "blocks the Talos API, so that nobody reaches machines any more",
        "use network.firewall, which has the rules that a cluster needs",
      ],
    ],
  },
  {
    what: "a patch that blocks what it does not let in, and lets the Talos API in",
    stack: "dev",
    changes: [patches(block, port("40000-60000"))],
    problems: [],
    warnings: [],
  },
  {
    what: "a patch with a default beside the firewall",
    stack: "dev",
    changes: [firewall({}), patches({ kind: "NetworkDefaultActionConfig", ingress: "accept" })],
    problems: [
      [
        "cluster.patches.all.0",
        "replaces the default of network.firewall, and with accept every rule would block what it lets in",
        "remove it",
      ],
    ],
  },
  {
    what: "a patch of a rule that the firewall has",
    stack: "dev",
    changes: [firewall({}), patches({ ...port(10250), name: "kubelet" })],
    problems: [],
    warnings: [
      [
        "cluster.patches.all.0",
        "NetworkRuleConfig kubelet is a document that Hearth writes, and Talos would merge both",
        "use network.firewall.rules, or another name",
      ],
    ],
  },
];
