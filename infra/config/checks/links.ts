import { collisions } from "./collisions.ts";
import type { Check, Draft } from "./check.ts";
import type { ConfigurationProblem } from "../error.ts";
import { canonical, contains, isHost, overlap } from "../ip.ts";
import { advise } from "../nearest.ts";
import type { LinkConfig } from "../nodes.ts";

type Networks = NonNullable<Draft["network"]>["networks"];

/** A link of a node, with its path and the network that it names. */
interface Located {
  path: PropertyKey[];
  node: string;
  name: string;
  link: LinkConfig;
  network: Networks[string];
}

/** The links whose network is known. */
const linksOf = ({ network, nodes }: Draft): Located[] =>
  Object.entries(nodes).flatMap(([node, { links }]) =>
    Object.entries(links).flatMap(([name, link]) => {
      const known = network?.networks[name];
      return known ? [{ path: ["nodes", node, "links", name], node, name, link, network: known }] : [];
    }),
  );

const networksAreKnown: Check = ({ network, nodes }) => {
  if (!network) return [];
  const known = Object.keys(network.networks);
  return Object.entries(nodes).flatMap(([node, { links }]) =>
    Object.keys(links)
      .filter((name) => !known.includes(name))
      .map((name) => ({
        path: ["nodes", node, "links", name],
        problem: "is not a network under network.networks",
        advice: known.length > 0 ? advise(name, known) : `add network.networks.${name} with its subnet`,
      })),
  );
};

const networksAreUsed: Check = ({ network, nodes, complete }) =>
  Object.keys((complete ? network?.networks : undefined) ?? {})
    .filter((name) => Object.values(nodes).every(({ links }) => !(name in links)))
    .map((name) => ({
      path: ["network", "networks", name],
      problem: "is not used, for no node has a link to it",
      advice: `remove it, or add links.${name} to the nodes that are in it`,
      warning: true,
    }));

/** The ranges of the stack that no further network may overlap. */
const ownRanges = ({ cluster, network }: Draft): [path: string, range: string][] => [
  ...(network ? [["network.subnet", network.subnet] as [string, string]] : []),
  ...(network ? [["network.loadBalancers", network.loadBalancers] as [string, string]] : []),
  ...(cluster ? [["cluster.podCidr", cluster.podCidr] as [string, string]] : []),
  ...(cluster ? [["cluster.serviceCidr", cluster.serviceCidr] as [string, string]] : []),
];

const subnetsOf = (networks: Networks): { path: string[]; range: string }[] =>
  Object.entries(networks).flatMap(([name, { subnet, subnet6 }]) => [
    { path: ["network", "networks", name, "subnet"], range: subnet },
    ...(subnet6 === undefined ? [] : [{ path: ["network", "networks", name, "subnet6"], range: subnet6 }]),
  ]);

const networksAreApart: Check = (draft) => {
  const all = subnetsOf(draft.network?.networks ?? {});
  return all.flatMap(({ path, range }, index): ConfigurationProblem[] => {
    if (canonical(range) !== range)
      return [{ path, problem: `${range} has host bits set`, advice: `write ${canonical(range)}` }];
    const earlier = all.slice(0, index).map((each): [string, string] => [each.path.join("."), each.range]);
    const other = [...ownRanges(draft), ...earlier].find(([, each]) => overlap(each, range));
    if (!other) return [];
    return [{ path, problem: `${range} overlaps ${other.join(", ")}`, advice: "use a range that is apart from it" }];
  });
};

const linksHaveAddresses: Check = (draft) =>
  linksOf(draft).flatMap(({ path, name, link, network }): ConfigurationProblem[] => {
    if (link.dhcp) {
      if (link.address === undefined) return [];
      const problem = "stands beside dhcp, by which the machine asks for its address";
      return [{ path: [...path, "address"], problem, advice: "remove either" }];
    }
    if (link.address === undefined) {
      const advice = `add it, in ${network.subnet}, or write dhcp: true`;
      return [{ path: [...path, "address"], problem: "is missing", advice }];
    }
    if (link.address6 !== undefined && network.subnet6 === undefined) {
      const advice = `add network.networks.${name}.subnet6, or remove it`;
      return [{ path: [...path, "address6"], problem: `${name} has no IPv6 subnet`, advice }];
    }
    return [];
  });

const linksAreInside: Check = (draft) =>
  linksOf(draft).flatMap(({ path, name, link, network }) =>
    (
      [
        ["address", link.address, network.subnet],
        ["address6", link.address6, network.subnet6],
      ] as const
    ).flatMap(([key, address, subnet]): ConfigurationProblem[] => {
      if (address === undefined || subnet === undefined || isHost(subnet, address)) return [];
      const problem = contains(subnet, address)
        ? `${address} is an address of the subnet ${subnet} that no host may have`
        : `${address} is outside ${subnet}, the subnet of ${name}`;
      return [{ path: [...path, key], problem, advice: "use an address of a host in it" }];
    }),
  );

const linksOnce: Check = (draft) =>
  collisions(
    linksOf(draft).flatMap(({ path, node, name, link }) =>
      (["address", "address6"] as const).flatMap((key) => {
        const value = link[key];
        if (value === undefined) return [];
        const owner = `the address of ${node} in ${name}`;
        return [{ path: [...path, key], value, owner, advice: "give one of them another address" }];
      }),
    ),
  );

/** A link is hardware, or a VLAN on the node's own. */
const linksAreMadeOfSomething: Check = (draft) =>
  linksOf(draft).flatMap(({ path, node, name, link, network }): ConfigurationProblem[] => {
    if (link.mac !== undefined) return [];
    if (link.bond) {
      const advice = "add the hardware address of the bond's first link";
      return [{ path: [...path, "mac"], problem: "is missing, and a bond is made of hardware", advice }];
    }
    const tag = link.vlan ?? network.vlan;
    if (tag === undefined) {
      const problem = "has neither hardware of its own nor a VLAN";
      return [{ path, problem, advice: `add its mac, or a vlan here or at network.networks.${name}` }];
    }
    if (tag === draft.nodes[node]?.vlan) {
      const problem = `is VLAN ${tag}, which the node itself is in`;
      return [{ path, problem, advice: "use another VLAN, or add the mac of another link" }];
    }
    return [];
  });

/** Two VLANs of one link would be one. */
const tagsOnce: Check = (draft) =>
  collisions(
    linksOf(draft)
      .filter(({ link }) => link.mac === undefined)
      .flatMap(({ path, node, name, link, network }) => {
        const tag = link.vlan ?? network.vlan;
        if (tag === undefined) return [];
        const owner = `the VLAN of ${name} on the same link`;
        return [{ path, value: `${node} ${tag}`, shown: `VLAN ${tag}`, owner, advice: "give each network its own" }];
      }),
  );

/** The kernel refuses a VLAN whose packets are larger than its link's. Source: Linux, net/8021q/vlan_dev.c, vlan_dev_change_mtu. */
const packetsFit: Check = (draft) =>
  linksOf(draft).flatMap(({ path, node, link, network }): ConfigurationProblem[] => {
    const mtu = link.mtu ?? network.mtu;
    const own = draft.nodes[node]?.mtu ?? 1500;
    if (link.mac !== undefined || mtu === undefined || mtu <= own) return [];
    const problem = `${mtu} is more than the ${own} bytes of the link that carries the VLAN`;
    return [{ path: [...path, "mtu"], problem, advice: `set nodes.${node}.mtu to ${mtu}, or this to ${own}` }];
  });

/** The routes of a node, with the subnets that their link is in. */
const routesOf = (draft: Draft) => [
  ...Object.entries(draft.nodes).map(([node, { routes, addresses }]) => ({
    path: ["nodes", node],
    routes,
    subnets: [draft.network?.subnet, draft.network?.ipv6?.subnet, ...addresses],
  })),
  ...linksOf(draft).map(({ path, link, network }) => ({
    path,
    routes: link.routes,
    subnets: [network.subnet, network.subnet6],
  })),
];

const routesLeadSomewhere: Check = (draft) =>
  routesOf(draft).flatMap(({ path, routes, subnets: all }) => {
    const subnets = all.flatMap((subnet) => subnet ?? []);
    return routes.flatMap(({ to, via }, index): ConfigurationProblem[] => {
      const at = [...path, "routes", index];
      if (canonical(to) !== to)
        return [{ path: [...at, "to"], problem: `${to} has host bits set`, advice: `write ${canonical(to)}` }];
      if (draft.network && !subnets.some((subnet) => contains(subnet, via)) && !contains("fe80::/10", via)) {
        const problem = `${via} is in no network of the link: ${subnets.join(", ")}`;
        return [{ path: [...at, "via"], problem, advice: "write the address of a router in one of them" }];
      }
      const inside = ownRanges(draft)
        .filter(([name]) => name !== "network.loadBalancers")
        .find(([, range]) => overlap(range, to));
      if (!inside) return [];
      const problem = `${to} overlaps ${inside.join(", ")}, which machines reach without a router`;
      return [{ path: [...at, "to"], problem, advice: "use a range outside of it" }];
    });
  });

const furtherAddresses: Check = ({ network, nodes }) =>
  collisions([
    ...Object.entries(nodes).map(([name, { address }]) => ({
      path: ["nodes", name, "address"],
      value: String(address),
      owner: `the address of ${name}`,
      advice: "",
    })),
    ...(network ? [{ path: ["network", "gateway"], value: network.gateway, owner: "the gateway", advice: "" }] : []),
    ...Object.entries(nodes).flatMap(([name, { addresses }]) =>
      addresses.map((value, index) => ({
        path: ["nodes", name, "addresses", index],
        value: value.split("/")[0] ?? "",
        owner: `an address of ${name}`,
        advice: "give one of them another address",
      })),
    ),
  ]).filter(({ path }) => path.includes("addresses"));

export const linkChecks: Check[] = [
  networksAreKnown,
  networksAreUsed,
  networksAreApart,
  linksHaveAddresses,
  linksAreInside,
  linksOnce,
  linksAreMadeOfSomething,
  tagsOnce,
  packetsFit,
  routesLeadSomewhere,
  furtherAddresses,
];
