import { contains, isPrivate, overlap, prefixLength, rangeOf } from "../ipv4.ts";
import type { ConfigurationProblem } from "../error.ts";
import { isLab } from "../lab.ts";
import type { Check, Draft } from "./check.ts";

type Located = [path: PropertyKey[], value: string];

/** Ranges that no host may be in. Source: RFC 1122, 3927, 5771 and 1112. */
const reserved: [range: string, what: string][] = [
  ["0.0.0.0/8", "this network"],
  ["127.0.0.0/8", "the host itself"],
  ["169.254.0.0/16", "link-local addresses, which Talos and Cilium use"],
  ["224.0.0.0/4", "multicast"],
  ["240.0.0.0/4", "no use yet"],
];

const ownRanges = ({ cluster, network }: Draft): Located[] => [
  ...(cluster ? [[["cluster", "podCidr"], cluster.podCidr] as Located] : []),
  ...(cluster ? [[["cluster", "serviceCidr"], cluster.serviceCidr] as Located] : []),
  ...(network ? [[["network", "subnet"], network.subnet] as Located] : []),
  ...(network ? [[["network", "loadBalancers"], network.loadBalancers] as Located] : []),
];

const rangesAreForHosts: Check = (draft) =>
  isLab(draft.network)
    ? []
    : ownRanges(draft).flatMap(([path, range]) =>
        reserved
          .filter(([other]) => overlap(range, other))
          .map(([other, what]) => ({
            path,
            problem: `${range} overlaps ${other}, which is for ${what}`,
            advice: "use a private range, such as one of 10.0.0.0/8",
          })),
      );

/** The cluster routes its own ranges to itself, so that what has the same addresses outside is out of reach. */
const clusterRangesArePrivate: Check = (draft) =>
  ownRanges(draft)
    .filter(([path, range]) => path[0] === "cluster" && !isPrivate(range))
    .filter(([, range]) => reserved.every(([other]) => !overlap(range, other)))
    .map(([path, range]) => ({
      path,
      problem: `${range} is a public range, whose hosts the cluster could not reach`,
      advice: "use a private range, such as 10.244.0.0/16 for pods and 10.96.0.0/12 for services",
      warning: true,
    }));

/** Addresses outside of the cluster that machines ask something of. */
const askedOutside = ({ cluster, network }: Draft): Located[] => [
  ...(network?.nameservers ?? []).map((value, index): Located => [["network", "nameservers", index], value]),
  ...(network?.timeServers ?? []).map((value, index): Located => [["network", "timeServers", index], value]),
  ...(network?.announce.mode === "bgp"
    ? network.announce.peers.map(({ address }, index): Located => [
        ["network", "announce", "peers", index, "address"],
        address,
      ])
    : []),
  ...Object.entries(cluster?.registryMirrors ?? {}).flatMap(([registry, { endpoints }]) =>
    endpoints.map((url, index): Located => [
      ["cluster", "registryMirrors", registry, "endpoints", index],
      new URL(url).hostname,
    ]),
  ),
];

const isAddress = (value: string): boolean => /^\d+(\.\d+){3}$/.test(value);

const outsideIsOutside: Check = (draft) =>
  askedOutside(draft)
    .filter(([, value]) => isAddress(value))
    .flatMap(([path, value]): ConfigurationProblem[] => {
      // A range over the whole subnet is a problem of its own.
      const inside = ownRanges(draft).find(
        ([range, cidr]) =>
          range[0] === "cluster" && contains(cidr, value) && !(draft.network && overlap(cidr, draft.network.subnet)),
      );
      if (inside) {
        const problem = `${value} is in ${inside[0].join(".")}, ${inside[1]}, which the cluster routes to itself`;
        return [{ path, problem, advice: "use an address outside of the cluster's ranges" }];
      }
      const pool = draft.network?.loadBalancers;
      if (pool === undefined || !contains(pool, value)) return [];
      return [
        {
          path,
          problem: `${value} is in the load balancers' pool ${pool}, which nothing answers on before the cluster runs`,
          advice: "use a server outside of the cluster",
          warning: true,
        },
      ];
    });

/** A node may serve DNS once the cluster runs. Until then machines need another server, for they pull images by name. */
const nameserversAreServers: Check = ({ cluster, network, nodes }) => {
  const addresses = network?.nameservers ?? [];
  const whatIs = (address: string): string | undefined => {
    if (address === network?.gateway) return undefined;
    const node = Object.entries(nodes).find(([, { address: own }]) => own === address);
    return node ? `the address of ${node[0]}` : address === cluster?.vip ? "the VIP" : undefined;
  };
  const hasAnother = addresses.some((address) => whatIs(address) === undefined);
  return addresses.flatMap((address, index): ConfigurationProblem[] => {
    const what = whatIs(address);
    if (what === undefined) return [];
    const path = ["network", "nameservers", index];
    return [
      hasAnother
        ? {
            path,
            problem: `${address} is ${what}, where Hearth starts no DNS server`,
            advice: "leave it if you run one there; machines ask each server in turn",
            warning: true,
          }
        : {
            path,
            problem: `${address} is ${what}, where no DNS server listens`,
            advice: "write the address of a DNS server, such as the router's",
          },
    ];
  });
};

/** The first and the last address of a pool are not given out; the second to the fourth are the tree's. */
const leastPool = 29;

const poolHasRoom: Check = ({ network }) =>
  network && prefixLength(network.loadBalancers) > leastPool
    ? [
        {
          path: ["network", "loadBalancers"],
          problem: `${network.loadBalancers} has no room for the addresses of DNS and of both gateways`,
          advice: `use a /${leastPool} or larger`,
        },
      ]
    : [];

/** What has a fixed address, and what a DHCP server gives out, are two things. */
const dhcpIsApart: Check = ({ cluster, network, nodes }) => {
  const range = network?.dhcpRange;
  if (!network || range === undefined) return [];
  const { subnet, loadBalancers: pool } = network;
  const { first, last } = rangeOf(range);
  const path = ["network", "dhcpRange"];
  if (first > last)
    return [{ path, problem: `${range} ends before it begins`, advice: "write the lower address first" }];
  if (!contains(subnet, range)) {
    return [{ path, problem: `${range} is outside the subnet ${subnet}`, advice: "write the range of this subnet" }];
  }
  const fixed: Located[] = [
    ...(cluster?.vip ? [[["cluster", "vip"], cluster.vip] as Located] : []),
    ...Object.entries(nodes)
      .filter(([, { dhcp }]) => !dhcp)
      .map(([name, { address }]): Located => [["nodes", name, "address"], address]),
    [["network", "loadBalancers"], pool],
  ];
  return fixed
    .filter(([, value]) => overlap(range, value))
    .map(([at, value]) => ({
      path: at,
      problem: `${value} ${value === pool ? "overlaps" : "is in"} network.dhcpRange, ${range}, which the DHCP server gives to others`,
      advice: "use one outside of it, or make the server's range smaller",
    }));
};

export const rangeChecks: Check[] = [
  rangesAreForHosts,
  clusterRangesArePrivate,
  outsideIsOutside,
  nameserversAreServers,
  poolHasRoom,
  dhcpIsApart,
];
