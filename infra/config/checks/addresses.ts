import { settingsOf } from "../../platforms/index.ts";
import { canonical, contains, free, isHost, overlap, prefixLength } from "../ipv4.ts";
import type { ConfigurationProblem } from "../error.ts";
import { collisions, type Claim } from "./collisions.ts";
import type { Check, Draft } from "./check.ts";

/** Addresses of hosts in the subnet, with their paths. Each may be used once. */
const hosts = ({ cluster, network, nodes }: Draft): Omit<Claim, "advice">[] => [
  ...(network ? [{ path: ["network", "gateway"], value: network.gateway, owner: "the gateway" }] : []),
  ...(cluster?.vip ? [{ path: ["cluster", "vip"], value: cluster.vip, owner: "the VIP" }] : []),
  ...Object.entries(nodes).map(([name, node]) => ({
    path: ["nodes", name, "address"],
    value: node.address,
    owner: `the address of ${name}`,
  })),
];

/** Addresses that platforms use. They are taken even if they are outside the subnet. */
const ofPlatforms = (draft: Draft): Omit<Claim, "advice">[] =>
  draft.platforms.flatMap((platform) => platform.addresses(settingsOf(draft, platform)));

const oneOwner: Check = (draft) => {
  const advice = adviceOnFree(draft);
  return collisions(
    [...ofPlatforms(draft), ...hosts(draft)].map((host) => ({
      ...host,
      advice: `give one of them another address${advice}`,
    })),
  );
};

const uniqueMacs: Check = ({ nodes }) =>
  collisions(
    Object.entries(nodes).map(([name, { mac }]) => ({
      path: ["nodes", name, "mac"],
      value: mac,
      owner: `the hardware address of ${name}`,
      advice: "give one of them another; virtual machines may have any that begins with BC:24:11",
    })),
  );

const insideSubnet: Check = (draft) => {
  const subnet = draft.network?.subnet;
  if (!subnet) return [];
  return hosts(draft)
    .filter(({ value }) => !isHost(subnet, value))
    .map(({ path, value }) => ({
      path,
      problem: contains(subnet, value)
        ? `${value} is the subnet's own or its broadcast address`
        : `${value} is outside the subnet ${subnet}`,
      advice: `use an address of it${adviceOnFree(draft)}`,
    }));
};

const poolIsFree: Check = (draft) => {
  const pool = draft.network?.loadBalancers;
  if (!pool) return [];
  return hosts(draft)
    .filter(({ value }) => contains(pool, value))
    .map(({ path, value }) => ({
      path,
      problem: `${value} is in the load balancers' pool ${pool}`,
      advice: `use an address outside of it${adviceOnFree(draft)}, or make network.loadBalancers smaller`,
    }));
};

/** Ranges that may not overlap, with their paths. */
const ranges = ({ cluster, network }: Draft): [path: string[], range: string][] => [
  ...(network ? [[["network", "subnet"], network.subnet] as [string[], string]] : []),
  ...(cluster
    ? [
        [["cluster", "podCidr"], cluster.podCidr] as [string[], string],
        [["cluster", "serviceCidr"], cluster.serviceCidr] as [string[], string],
      ]
    : []),
];

const rangesAreApart: Check = (draft) => {
  const all = ranges(draft);
  return all.flatMap(([path, range], index) =>
    all
      .slice(0, index)
      .filter(([, earlier]) => overlap(range, earlier))
      .map(([other, earlier]) => ({
        path,
        problem: `${range} overlaps ${other.join(".")}, ${earlier}`,
        advice: "use ranges that are apart, such as 10.244.0.0/16 for pods and 10.96.0.0/12 for services",
      })),
  );
};

const rangesAreCanonical: Check = (draft) => {
  const { network } = draft;
  return [...ranges(draft), ...(network ? [[["network", "loadBalancers"], network.loadBalancers] as const] : [])]
    .filter(([, range]) => range.includes("/") && canonical(range) !== range)
    .map(([path, range]) => ({
      path: [...path],
      problem: `${range} has host bits set`,
      advice: `write ${canonical(range)}`,
    }));
};

/** Kubernetes assigns a /24 of the pods' range to every node. */
const podsForEveryNode: Check = ({ cluster, nodes }) => {
  if (!cluster) return [];
  const room = 2 ** (24 - prefixLength(cluster.podCidr));
  const count = Object.keys(nodes).length;
  if (room >= count) return [];
  return [
    {
      path: ["cluster", "podCidr"],
      problem: `${cluster.podCidr} has room for ${Math.floor(room)} of ${count} nodes, at a /24 each`,
      advice: "use a larger range, such as 10.244.0.0/16",
    },
  ];
};

/** Source: Kubernetes, kube-apiserver, which refuses ranges with more than 20 bits of Service addresses. */
const servicesFit: Check = ({ cluster }) =>
  cluster && prefixLength(cluster.serviceCidr) < 12
    ? [
        {
          path: ["cluster", "serviceCidr"],
          problem: `${cluster.serviceCidr} is larger than the API server takes`,
          advice: "use a /12 or smaller, such as 10.96.0.0/12",
        },
      ]
    : [];

/** The endpoint has to lead to the control planes. */
const endpointIsTheirs: Check = (draft) => {
  const { cluster, nodes, complete } = draft;
  if (!cluster || !complete) return [];
  const { hostname, port } = new URL(cluster.endpoint);
  if (!/^[\d.]+$/.test(hostname)) return [];
  const path = ["cluster", "endpoint"];
  const controlPlanes = Object.values(nodes).filter(({ role }) => role === "controlplane");
  const theirs: string[] = [...(cluster.vip ? [cluster.vip] : []), ...controlPlanes.map(({ address }) => address)];
  const advice = `use https://${cluster.vip ?? theirs[0] ?? ""}:6443`;
  if (!theirs.includes(hostname)) {
    // The address may be that of a separate load balancer.
    return [{ path, problem: `${hostname} is neither the VIP nor a control plane`, advice, warning: true }];
  }
  if (port !== "6443") {
    return [{ path, problem: `${cluster.endpoint} does not name the port of the Kubernetes API`, advice }];
  }
  return cluster.vip || controlPlanes.length === 1 ? [] : [lonelyEndpoint(hostname)];
};

const lonelyEndpoint = (hostname: string): ConfigurationProblem => ({
  path: ["cluster", "endpoint"],
  problem: `${hostname} is the address of one control plane, and the cluster is lost without it`,
  advice: "add cluster.vip and use its address here",
  warning: true,
});

/** The end of an advice that names a free address of the subnet. Empty if there is none. */
const adviceOnFree = (draft: Draft): string => {
  const { network } = draft;
  if (!network) return "";
  const taken = [...ofPlatforms(draft), ...hosts(draft)].map(({ value }) => value).concat(network.loadBalancers);
  const [candidate] = free(network.subnet, taken);
  return candidate === undefined ? "" : `, such as ${candidate}`;
};

export const addressChecks: Check[] = [
  insideSubnet,
  oneOwner,
  uniqueMacs,
  poolIsFree,
  rangesAreCanonical,
  rangesAreApart,
  podsForEveryNode,
  servicesFit,
  endpointIsTheirs,
];
