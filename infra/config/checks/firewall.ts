import { clusterRuleNames } from "../../../components/talos/documents/firewall.ts";
import type { ConfigurationProblem } from "../error.ts";
import { portRange } from "../firewall.ts";
import { contains, isIpv6 } from "../ip.ts";
import type { Check, Draft } from "./check.ts";
import { patchesOf } from "./patches.ts";

const path = ["network", "firewall"];

/** Hearth and talosctl reach machines by their IPv4 address. */
const somebodyReachesMachines: Check = ({ network }) => {
  const { administrators = [] } = network?.firewall ?? {};
  if (!network?.firewall || administrators.some((range) => !isIpv6(range))) return [];
  return [
    {
      path: [...path, "administrators"],
      problem: "has no IPv4 range, and machines are reached by their IPv4 address, so nobody would reach them any more",
      advice: `add the range of the computers that run Hearth, such as ${network.subnet}`,
    },
  ];
};

/** The cluster's own ranges, in which no person's computer is. */
const ownRanges = ({ cluster, network }: Draft): [what: string, range: string][] => [
  ...(cluster ? [["cluster.podCidr", cluster.podCidr] as [string, string]] : []),
  ...(cluster ? [["cluster.serviceCidr", cluster.serviceCidr] as [string, string]] : []),
  ...(network ? [["network.loadBalancers", network.loadBalancers] as [string, string]] : []),
];

const administratorsAreOutside: Check = (draft) =>
  (draft.network?.firewall?.administrators ?? []).flatMap((range, index): ConfigurationProblem[] => {
    const own = ownRanges(draft).find(([, other]) => contains(other, range));
    if (!own) return [];
    const [what] = own;
    return [
      {
        path: [...path, "administrators", index],
        problem: `${range} is in ${what}, where no computer of a person is`,
        advice: "write the range of the computers that people use",
      },
    ];
  });

/** Ports whose rules Hearth makes of other keys. */
const kept: [port: number, what: string][] = [
  [50_000, "the Talos API"],
  [6443, "the Kubernetes API"],
];

const rulesOf = ({ network }: Draft) => Object.entries(network?.firewall?.rules ?? {});

const rulesAreTheirOwn: Check = (draft) =>
  rulesOf(draft).flatMap(([name, { ports, protocol }]): ConfigurationProblem[] => [
    ...(clusterRuleNames.includes(name)
      ? [
          {
            path: [...path, "rules", name],
            problem: "is the name of a rule that Hearth writes",
            advice: "give it another name, and the ports that are missing",
          },
        ]
      : []),
    ...ports.flatMap((port, index) => {
      const range = portRange(port);
      return kept
        .filter(([own]) => protocol === "tcp" && range && range[0] <= own && own <= range[1])
        .map(([own, what]) => ({
          path: [...path, "rules", name, "ports", index],
          problem: `${port} opens ${what}, port ${own.toString()}, which administrators reach`,
          advice: "add the range to network.firewall.administrators, and leave the port out here",
        }));
    }),
  ]);

/** Talos refuses ranges of one rule that overlap. Source: siderolabs/talos v1.13.9, config/types/network/port_range.go. */
const portsOnce: Check = (draft) =>
  rulesOf(draft).flatMap(([name, { ports }]) => {
    const ranges = ports.map((port): [number, number] => portRange(port) ?? [0, 0]);
    return ports.flatMap((port, index): ConfigurationProblem[] => {
      const [first = 0, last = 0] = ranges[index] ?? [];
      const before = ranges.findIndex(([low, high], other) => other < index && low <= last && first <= high);
      return before < 0
        ? []
        : [
            {
              path: [...path, "rules", name, "ports", index],
              problem: `${port} overlaps ${ports[before] ?? ""}, and Talos refuses such a rule`,
              advice: "write each port once",
            },
          ];
    });
  });

const rulesHaveMachines: Check = (draft) =>
  draft.complete
    ? rulesOf(draft)
        .filter(([, { role }]) => role && Object.values(draft.nodes).every((node) => node.role !== role))
        .map(([name, { role }]) => ({
          path: [...path, "rules", name, "role"],
          problem: `no node is a ${String(role)}, so no machine has this rule`,
          advice: "remove the role, or the rule",
          warning: true,
        }))
    : [];

/** Rules know TCP, UDP and ICMP. Source: siderolabs/talos v1.13.9, pkg/machinery/nethelpers/protocol.go. */
const ipsecPassesNot: Check = ({ network }) =>
  network?.firewall && network.encryption.type === "ipsec"
    ? [
        {
          path: [...path],
          problem: "blocks ESP, the packets of IPsec, for which Talos has no rule",
          advice: "use encryption: { type: wireguard }, or no firewall",
        },
      ]
    : [];

/** A default of one's own, without Hearth's rules, may block what everybody reaches machines by. */
const patchesKeepTheApi: Check = (draft) => {
  const patches = patchesOf(draft);
  const opens = patches.some(
    ({ patch: { kind, portSelector } }) => kind === "NetworkRuleConfig" && opensTalosApi(portSelector),
  );
  return patches
    .filter(({ patch: { kind } }) => kind === "NetworkDefaultActionConfig")
    .flatMap(({ path: place, patch: { ingress } }): ConfigurationProblem[] => {
      if (draft.network?.firewall) {
        return [
          {
            path: place,
            problem: "replaces the default of network.firewall, and with accept every rule would block what it lets in",
            advice: "remove it",
          },
        ];
      }
      return ingress === "block" && !opens
        ? [
            {
              path: place,
              problem: "blocks the Talos API, so that nobody reaches machines any more",
              advice: "use network.firewall, which has the rules that a cluster needs",
            },
          ]
        : [];
    });
};

const opensTalosApi = (selector: unknown): boolean => {
  const { ports = [], protocol } = (selector ?? {}) as { ports?: (number | string)[]; protocol?: string };
  return (
    protocol === "tcp" &&
    ports.map(portRange).some((range) => range !== undefined && range[0] <= 50_000 && 50_000 <= range[1])
  );
};

export const firewallChecks: Check[] = [
  somebodyReachesMachines,
  administratorsAreOutside,
  rulesAreTheirOwn,
  portsOnce,
  rulesHaveMachines,
  ipsecPassesNot,
  patchesKeepTheApi,
];
