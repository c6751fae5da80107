import type { Platform } from "../platforms/platform.ts";
import type { ConfigurationProblem } from "./error.ts";
import { count } from "./error.ts";
import { rangeOf, toAddress } from "./ipv4.ts";
import { poolKeys, without, type PoolKeys, type PoolRoom } from "./pool-keys.ts";

type Raw = Record<string, unknown>;

/** A configuration whose pools have become nodes. */
export interface Expanded {
  raw: unknown;
  /** What is wrong with pools that are valid on their own. Their nodes are missing. */
  problems: ConfigurationProblem[];
  /** The pool of each node that came from one. */
  pools: ReadonlyMap<string, string>;
}

/**
 * Adds the nodes of all valid pools to the nodes of a configuration, as a person writes it.
 *
 * A node's name, address and numbers follow from its serial number alone, so another count leaves the other nodes as they are.
 */
export const expandPools = (raw: unknown, platforms: readonly Platform[]): Expanded => {
  const given = isObject(raw) && isObject(raw.pools) ? raw.pools : {};
  const pools = Object.entries(given).flatMap(([name, pool]) => {
    const platform = platforms.find((each) => isObject(pool) && each.name === pool.platform);
    const parsed = platform?.pool?.schema.safeParse(pool);
    return parsed?.success ? [{ name, pool: pool as Raw, parsed: parsed.data as PoolKeys, platform }] : [];
  });
  if (!isObject(raw) || pools.length === 0) return { raw, problems: [], pools: new Map() };

  const nodes: Raw = isObject(raw.nodes) ? { ...raw.nodes } : {};
  const problems: ConfigurationProblem[] = [];
  const owners = new Map<string, string>();
  for (const { name, pool, parsed, platform } of pools) {
    const wrong = poolProblems(name, parsed, platform?.pool?.room(parsed) ?? []);
    problems.push(...wrong);
    if (wrong.length > 0) continue;
    for (const [node, keys] of membersOf(name, pool, parsed, platform)) {
      if (node in nodes) {
        problems.push({
          path: ["pools", name],
          problem: `has a machine ${node}, which ${owners.has(node) ? `is in ${owners.get(node) ?? ""}` : "stands under nodes"} too`,
          advice: "add its serial number to skip, or begin at another with first",
        });
      } else {
        nodes[node] = keys;
        owners.set(node, name);
      }
    }
  }
  return { raw: { ...raw, nodes }, problems, pools: owners };
};

const membersOf = (name: string, pool: Raw, parsed: PoolKeys, platform: Platform | undefined): [string, Raw][] => {
  const shared = without(pool, ...Object.keys(poolKeys));
  return Array.from({ length: parsed.count }, (_, index): [number, number] => [parsed.first + index, index])
    .filter(([serial]) => !parsed.skip.includes(serial))
    .map(([serial, index]) => {
      const address = toAddress(rangeOf(parsed.addresses).first + index);
      const node = platform?.pool?.member({ ...shared, address }, parsed, index) ?? {};
      return [`${name}${String(serial).padStart(2, "0")}`, node];
    });
};

const poolProblems = (name: string, pool: PoolKeys, rooms: PoolRoom[]): ConfigurationProblem[] => {
  const { first, last } = rangeOf(pool.addresses);
  const addresses = { path: ["addresses"], what: "addresses", size: Math.max(0, last - first + 1) };
  const beyond = pool.skip.findIndex((serial) => serial < pool.first || serial >= pool.first + pool.count);
  return [
    ...[addresses, ...rooms]
      .filter(({ size }) => size < pool.count)
      .map(({ path, what, size }) => ({
        path: ["pools", name, ...path],
        problem: `has ${size} ${what} for ${count(pool.count, "machine")}`,
        advice: "make it larger at its end, where it moves no machine, or count smaller",
      })),
    ...(beyond < 0
      ? []
      : [
          {
            path: ["pools", name, "skip", beyond],
            problem: `${pool.skip[beyond] ?? ""} is not a serial number of the pool`,
            advice: `give ${pool.first} to ${pool.first + pool.count - 1}, or remove it`,
          },
        ]),
  ];
};

/** Keys of a node by the pool's key that they come from. */
const sources: Record<string, string> = { address: "addresses", mac: "macs", vmId: "vmIds", host: "hosts" };

/** Moves problems of nodes to the pools that they come from, where each stands once. */
export const atPools = (
  problems: ConfigurationProblem[],
  pools: ReadonlyMap<string, string>,
): ConfigurationProblem[] => {
  const seen = new Set<string>();
  return problems.flatMap((problem) => {
    const [group, node, ...rest] = problem.path;
    const pool = group === "nodes" ? pools.get(String(node)) : undefined;
    if (pool === undefined) return [problem];
    const moved = { ...problem, path: ["pools", pool, ...rest.map((key) => sources[String(key)] ?? key)] };
    const text = JSON.stringify([moved.path, moved.problem, moved.advice]);
    if (seen.has(text)) return [];
    seen.add(text);
    return [moved];
  });
};

const isObject = (value: unknown): value is Raw => typeof value === "object" && value !== null;
