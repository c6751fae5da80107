import { canonical, contains, isHost, nth, overlap, prefixLength } from "../ipv6.ts";
import type { ConfigurationProblem } from "../error.ts";
import { collisions } from "./collisions.ts";
import type { Check, Draft } from "./check.ts";

type Located = [path: PropertyKey[], value: string];

const at = (key: string): PropertyKey[] => ["network", "ipv6", key];

/** The ranges of `network.ipv6`. */
const ranges = ({ network }: Draft): Located[] =>
  network?.ipv6
    ? (["subnet", "podCidr", "serviceCidr", "loadBalancers"] as const).flatMap((key): Located[] =>
        network.ipv6 ? [[at(key), network.ipv6[key]]] : [],
      )
    : [];

/** Addresses in the subnet. */
const hosts = ({ network, nodes }: Draft): [...Located, owner: string][] => [
  ...(network?.ipv6?.gateway
    ? [[at("gateway"), network.ipv6.gateway, "the IPv6 gateway"] as [...Located, string]]
    : []),
  ...(network?.ipv6?.vip ? [[at("vip"), network.ipv6.vip, "the IPv6 VIP"] as [...Located, string]] : []),
  ...Object.entries(nodes).flatMap(([name, { address6 }]): [...Located, string][] =>
    address6 === undefined ? [] : [[["nodes", name, "address6"], address6, `the IPv6 address of ${name}`]],
  ),
];

const everyNodeHasOne: Check = ({ network, nodes }) => {
  if (!network) return [];
  const { ipv6 } = network;
  return Object.entries(nodes).flatMap(([name, { address6 }]): ConfigurationProblem[] => {
    const path = ["nodes", name, "address6"];
    if (ipv6 && address6 === undefined)
      return [{ path, problem: "is missing, in a cluster with network.ipv6", advice: `add it, in ${ipv6.subnet}` }];
    if (!ipv6 && address6 !== undefined)
      return [{ path, problem: "has no effect without network.ipv6", advice: "remove it, or add network.ipv6" }];
    return [];
  });
};

/** A router may have an address of the link only, by which it announces itself. */
const isOfLink = (address: string): boolean => contains("fe80::/10", address);

const insideSubnet: Check = (draft) => {
  const subnet = draft.network?.ipv6?.subnet;
  if (subnet === undefined) return [];
  return hosts(draft)
    .filter(([path, address]) => !isHost(subnet, address) && !(path.at(-1) === "gateway" && isOfLink(address)))
    .map(([path, address]) => ({
      path,
      problem: contains(subnet, address)
        ? `${address} is the address of all routers in ${subnet}`
        : `${address} is outside the IPv6 subnet ${subnet}`,
      advice: `use an address of it, such as ${nth(subnet, 17)}`,
    }));
};

/** Written differently, an address is the same. */
const oneOwner: Check = (draft) =>
  collisions(
    hosts(draft).map(([path, value, owner]) => ({
      path,
      value: canonical(`${value}/128`),
      shown: value,
      owner,
      advice: "give one of them another address",
    })),
  );

const rangesAreCanonical: Check = (draft) =>
  ranges(draft)
    .filter(([, range]) => canonical(range) !== range.toLowerCase())
    .map(([path, range]) => ({
      path,
      problem: `${range} has host bits set, or is not in its shortest form`,
      advice: `write ${canonical(range)}`,
    }));

const rangesAreApart: Check = (draft) => {
  const l2 = draft.network?.announce.mode === "l2";
  const all = ranges(draft);
  return all.flatMap(([path, range], index) =>
    all
      .slice(0, index)
      // By L2 the pool is a part of the subnet.
      .filter(([other]) => !(l2 && path.at(-1) === "loadBalancers" && other.at(-1) === "subnet"))
      .filter(([, earlier]) => overlap(range, earlier))
      .map(([other, earlier]) => ({
        path,
        problem: `${range} overlaps ${other.join(".")}, ${earlier}`,
        advice: "use ranges that are apart",
      })),
  );
};

const poolIsWhereItIsAnnounced: Check = (draft) => {
  const { network } = draft;
  if (!network?.ipv6) return [];
  const { subnet, loadBalancers } = network.ipv6;
  const path = at("loadBalancers");
  if (network.announce.mode === "l2" && !contains(subnet, loadBalancers)) {
    const problem = `${loadBalancers} is outside the IPv6 subnet ${subnet}, where nobody asks for it by L2`;
    return [{ path, problem, advice: "use a range of the subnet, or announce it by BGP" }];
  }
  return hosts(draft)
    .filter(([, address]) => contains(loadBalancers, address))
    .map(([where, address]) => ({
      path: where,
      problem: `${address} is in the load balancers' IPv6 pool ${loadBalancers}`,
      advice: "use an address outside of it, or make network.ipv6.loadBalancers smaller",
    }));
};

/** The third and the fourth address of the pool are the gateways'. */
const poolHasRoom: Check = ({ network }) =>
  network?.ipv6 && prefixLength(network.ipv6.loadBalancers) > 126
    ? [
        {
          path: at("loadBalancers"),
          problem: `${network.ipv6.loadBalancers} has no room for the addresses of both gateways`,
          advice: "use a larger range, such as a /112",
        },
      ]
    : [];

const sizesFit: Check = ({ network, nodes }) => {
  if (!network?.ipv6) return [];
  const { subnet, podCidr, serviceCidr } = network.ipv6;
  const found: ConfigurationProblem[] = [];
  if (prefixLength(subnet) > 64) {
    const problem = `${subnet} is smaller than a /64, which machines and routers expect of a network`;
    found.push({ path: at("subnet"), problem, advice: "use a /64", warning: true });
  }
  // Kubernetes gives every node a /64 and takes at most 16 bits between both. Source: Kubernetes v1.36.4,
  // pkg/controller/nodeipam/ipam/cidrset/cidr_set.go, clusterSubnetMaxDiff.
  const bits = 64 - prefixLength(podCidr);
  if (bits > 16) {
    const problem = `${podCidr} is more than 16 bits larger than the /64 of a node, which Kubernetes refuses`;
    found.push({ path: at("podCidr"), problem, advice: "use a /48 to a /56" });
  } else if (bits < 0 || 2 ** bits < Object.keys(nodes).length) {
    const room = bits < 0 ? 0 : 2 ** bits;
    const problem = `${podCidr} has room for ${room} of ${Object.keys(nodes).length} nodes, at a /64 each`;
    found.push({ path: at("podCidr"), problem, advice: "use a larger range, such as a /56" });
  }
  // Source: Kubernetes v1.36.4, cmd/kube-apiserver/app/options/validation.go, maxCIDRBits.
  if (prefixLength(serviceCidr) < 108) {
    const problem = `${serviceCidr} is larger than the API server takes`;
    found.push({ path: at("serviceCidr"), problem, advice: "use a /108 or smaller, such as a /112" });
  }
  return found;
};

export const ipv6Checks: Check[] = [
  everyNodeHasOne,
  insideSubnet,
  oneOwner,
  rangesAreCanonical,
  rangesAreApart,
  poolIsWhereItIsAnnounced,
  poolHasRoom,
  sizesFit,
];
