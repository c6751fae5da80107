import { fullName } from "../../../components/cloudflare/names.ts";
import type { ConfigurationProblem } from "../error.ts";
import { stackFile } from "../error.ts";
import { overlap } from "../ipv4.ts";
import { canonical } from "../ipv6.ts";
import type { HearthConfig } from "../schema.ts";
import type { Claim } from "./collisions.ts";
import { platformOf, platforms as all, settingsOf } from "../../platforms/index.ts";
import type { Platform } from "../../platforms/platform.ts";
import { ruleLists } from "./edge.ts";
import { hardware } from "./machines.ts";

/** Something that only one stack may have, in a namespace such as `address`. */
type StackClaim = Omit<Claim, "advice"> & { namespace: string; advice?: string };

type Stack = [stack: string, config: HearthConfig];

/**
 * Finds what several stacks claim although only one may have it: addresses, names, numbers and records.
 *
 * @returns problems by stack; of two stacks that claim the same, the later one has the problem
 */
export const checkStacks = (stacks: Stack[], platforms = all): Record<string, ConfigurationProblem[]> => {
  const problems: Record<string, ConfigurationProblem[]> = {};
  for (const [index, [stack, config]] of stacks.entries()) {
    problems[stack] = stacks
      .slice(0, index)
      .flatMap(([other, theirs]) => [
        ...shared(claims(theirs, platforms), claims(config, platforms), other),
        ...pools(theirs, config, other, platforms),
        ...unreachable(theirs, config, other),
        ...promotion([other, theirs], [stack, config]),
      ]);
  }
  return problems;
};

const shared = (theirs: StackClaim[], ours: StackClaim[], other: string): ConfigurationProblem[] => {
  const owners = new Map(theirs.map(({ namespace, value, owner }) => [`${namespace} ${value}`, owner]));
  return ours.flatMap(({ namespace, value, shown = value, path, advice }) => {
    const owner = owners.get(`${namespace} ${value}`);
    if (owner === undefined) return [];
    return [
      {
        path,
        problem: `${shown} is also ${owner} in ${stackFile(other)}`,
        advice: advice ?? "give one of them another",
      },
    ];
  });
};

const claims = (config: HearthConfig, platforms: readonly Platform[]): StackClaim[] => [
  ...ofCluster(config),
  ...Object.entries(config.nodes).flatMap(([name, node]) => ofNode(name, node, config, platforms)),
  ...ofEdge(config),
  ...ofRouting(config),
  ...ofGitOps(config),
];

const ofCluster = ({ cluster }: HearthConfig): StackClaim[] => [
  {
    namespace: "cluster",
    path: ["cluster", "name"],
    value: cluster.name,
    owner: "the name of the cluster",
    advice: "name the site and the environment of each, such as den-dev and den-prod",
  },
  ...(cluster.vip ? [{ namespace: "address", path: ["cluster", "vip"], value: cluster.vip, owner: "the VIP" }] : []),
];

const ofNode = (
  name: string,
  node: HearthConfig["nodes"][string],
  config: HearthConfig,
  platforms: readonly Platform[],
): StackClaim[] => [
  {
    namespace: "node",
    path: ["nodes", name],
    value: name,
    owner: "a node",
    advice: "begin the names of nodes with their cluster's",
  },
  { namespace: "address", path: ["nodes", name, "address"], value: node.address, owner: `the address of ${name}` },
  ...(node.address6 === undefined
    ? []
    : [
        {
          namespace: "address",
          path: ["nodes", name, "address6"],
          value: canonical(`${node.address6}/128`),
          shown: node.address6,
          owner: `the IPv6 address of ${name}`,
        },
      ]),
  ...hardware(node).map(({ path, mac }) => ({
    namespace: "mac",
    path: ["nodes", name, ...path],
    value: mac,
    owner: path.length === 1 ? `the hardware address of ${name}` : `a link of ${name}`,
  })),
  ...platformOf(node, platforms).claims(name, node, settingsOf(config, platformOf(node, platforms))),
];

const ofEdge = ({ cluster, cloudflare }: HearthConfig): StackClaim[] => {
  if (!cloudflare) return [];
  const { account, zone, tunnels, records } = cloudflare;
  const advice = "a name points to one tunnel or record only: give each environment its own names";
  const hostnames = ruleLists(cloudflare).flatMap(({ path, rules }) =>
    rules.flatMap(({ hostname, publicRecord }, index) =>
      publicRecord ? [{ path: [...path, index, "hostname"], value: hostname }] : [],
    ),
  );
  const webhook = cloudflare.webhook ? [{ path: ["cloudflare", "webhook"], value: cloudflare.webhook }] : [];
  return [
    ...[...hostnames, ...webhook].map((claim) => ({ ...claim, namespace: "record", owner: "a hostname", advice })),
    ...records.map((record, index) => ({
      namespace: "record",
      path: ["cloudflare", "records", index, "name"],
      value: fullName(record.name, zone.name),
      owner: "a record",
      advice,
    })),
    ...[...(cloudflare.tunnel ? [cluster.name] : []), ...Object.keys(tunnels)].map((name) => ({
      namespace: "tunnel",
      path: name === cluster.name ? ["cluster", "name"] : ["cloudflare", "tunnels", name],
      value: `${account} ${name}`,
      shown: name,
      owner: "the name of a tunnel",
      advice: "give each tunnel of the account a name of its own",
    })),
  ];
};

const ofGitOps = ({ gitops, escrow }: HearthConfig): StackClaim[] => [
  ...(escrow?.path === undefined
    ? []
    : [
        {
          namespace: "escrow",
          path: ["escrow", "path"],
          value: escrow.path,
          owner: "the escrow file",
          advice: "give each stack a file of its own",
        },
      ]),
  {
    namespace: "tree",
    path: ["gitops", "path"],
    value: `${gitops.repository} ${gitops.branch} ${gitops.path}`,
    shown: gitops.path,
    owner: "what the cluster is made of",
    advice: "give each cluster a folder of its own",
  },
];

/** A router drops a route that already contains the autonomous system of its receiver. */
const ofRouting = ({ network: { announce } }: HearthConfig): StackClaim[] =>
  announce.mode === "bgp"
    ? announce.peers.map(({ address }) => ({
        namespace: "asn",
        path: ["network", "announce", "asn"],
        value: `${address} ${announce.asn}`,
        shown: String(announce.asn),
        owner: "the autonomous system at the same router",
        advice: "give each cluster a number of its own, such as 64513 and 64514",
      }))
    : [];

/** Finds pools that overlap, and pools that contain another stack's addresses. */
const pools = (
  theirs: HearthConfig,
  ours: HearthConfig,
  other: string,
  platforms: readonly Platform[],
): ConfigurationProblem[] => {
  const path = ["network", "loadBalancers"];
  const file = stackFile(other);
  const [pool, their] = [ours.network.loadBalancers, theirs.network.loadBalancers];
  const advice = "use a range that is apart from it";
  if (overlap(pool, their)) {
    return [{ path, problem: `${pool} overlaps the pool ${their} in ${file}`, advice }];
  }
  const inside = (config: HearthConfig, range: string) =>
    claims(config, platforms).filter(({ namespace, value }) => namespace === "address" && overlap(value, range));
  return [
    ...inside(theirs, pool).map(({ value, owner }) => ({
      path,
      problem: `${pool} holds ${value}, which is ${owner} in ${file}`,
      advice,
    })),
    ...inside(ours, their).map(({ path: ourPath, value }) => ({
      path: ourPath,
      problem: `${value} is in the pool ${their} in ${file}`,
      advice: "use an address that is outside of it",
    })),
  ];
};

/** Two stacks of which one promotes to the other follow two branches of one repository. */
const promotion = (...pair: [Stack, Stack]): ConfigurationProblem[] => {
  const [[other, theirs], [stack, config]] = pair;
  const ways = [
    { from: theirs.gitops, name: other, to: config.gitops, target: stack },
    { from: config.gitops, name: stack, to: theirs.gitops, target: other },
  ];
  return ways
    .filter(({ name, to }) => to.promotion?.from === name)
    .flatMap(({ from, name, to, target }): ConfigurationProblem[] => {
      if (from.repository !== to.repository) {
        return [
          {
            path: ["gitops", "repository"],
            problem: `${name} promotes to ${target}, and follows ${from.repository}, which is another repository`,
            advice: "name the same repository in both stack files",
          },
        ];
      }
      if (from.branch !== to.branch) return [];
      return [
        {
          path: ["gitops", "branch"],
          problem: `${from.branch} is also the branch of ${name}, which promotes to ${target}`,
          advice: `write a branch of its own in ${stackFile(target)}, such as ${target}`,
        },
      ];
    });
};

/** What a cluster uses for pods and services, it routes to itself: it cannot reach another stack that has these addresses. */
const unreachable = (theirs: HearthConfig, ours: HearthConfig, other: string): ConfigurationProblem[] => {
  const file = stackFile(other);
  const inner = ({ cluster }: HearthConfig) =>
    (["podCidr", "serviceCidr"] as const).map((key) => ({ path: ["cluster", key], range: cluster[key] }));
  const outer = ({ network }: HearthConfig) =>
    (["subnet", "loadBalancers"] as const).map((key) => ({ path: ["network", key], range: network[key] }));
  const clashes = (mine: ReturnType<typeof outer>, its: ReturnType<typeof outer>) =>
    mine.flatMap(({ path, range }) =>
      its
        .filter((each) => overlap(range, each.range))
        .map((each) => ({
          path,
          problem: `${range} overlaps ${each.path.join(".")} in ${file}, ${each.range}, so that one cannot reach the other`,
          advice: "use ranges that are apart if the two have to reach each other",
          warning: true,
        })),
    );
  const [subnet, their] = [ours.network.subnet, theirs.network.subnet];
  return [
    ...clashes(inner(ours), outer(theirs)),
    ...clashes(outer(ours), inner(theirs)),
    ...(subnet !== their && overlap(subnet, their)
      ? [
          {
            path: ["network", "subnet"],
            problem: `${subnet} overlaps the subnet ${their} in ${file} without being the same`,
            advice: "write the same prefix if it is one network, and ranges that are apart if it is not",
            warning: true,
          },
        ]
      : []),
  ];
};
