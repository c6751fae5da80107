import { alternatives } from "../config/nearest.ts";
import { metal } from "./metal/index.ts";
import { proxmox } from "./proxmox/index.ts";
import type { Platform, ResourceFacts } from "./platform.ts";

const known = [proxmox, metal] as const;

/** All platforms. To add one, write a folder beside these, and add it to this list and to `makers.ts`. */
export const platforms: readonly Platform[] = known;

export type PlatformName = (typeof known)[number]["name"];

/** The schemas of a node, one for each platform. */
export const nodeSchemas = [proxmox.node, metal.node] as const;

/** The schemas of a pool of nodes, one for each platform that has pools. */
export const poolSchemas = [proxmox.pool.schema, metal.pool.schema] as const;

/** The platforms' groups in the stack file. */
export const platformGroups = { ...proxmox.groups, ...metal.groups };

/** The platforms' secrets, by their key under `hearth:`. */
export const platformSecrets = { ...proxmox.secrets, ...metal.secrets };

/** Returns the platform of a node. */
export const platformOf = ({ platform }: { platform: string }, among = platforms): Platform => {
  const found = among.find(({ name }) => name === platform);
  if (!found) throw new Error(`${platform} is not a platform`);
  return found;
};

/** Returns the nodes of a platform, by name. */
export const nodesOf = <Node extends { platform: string }>(
  nodes: Record<string, Node>,
  { name }: Pick<Platform, "name">,
): Record<string, Node> => Object.fromEntries(Object.entries(nodes).filter(([, { platform }]) => platform === name));

/** Returns a platform's group in a configuration. */
export const settingsOf = (config: object, { name }: Pick<Platform, "name">): unknown =>
  (config as Record<string, unknown>)[name];

/** Guesses the platform of a node that names none, by the keys that only one platform has, and returns the reason. */
export const likelyPlatform = (
  node: object,
  among = platforms,
): { platform: Platform; because: string } | undefined => {
  const isShared = (key: string) => among.every(({ node: schema }) => key in schema.shape);
  const own = among.map((platform) => ({
    platform,
    keys: Object.keys(platform.node.shape).filter((key) => !isShared(key)),
  }));
  const found = own.flatMap(({ platform, keys }) =>
    keys.filter((key) => key in node).map((key) => ({ platform, key })),
  )[0];
  if (found) return { platform: found.platform, because: `it has the key ${found.key}` };
  const plain = own.find(({ keys }) => keys.length === 0);
  const others = own.flatMap(({ keys }) => keys);
  return plain && { platform: plain.platform, because: `it has no key such as ${alternatives(others)}` };
};

/** Returns what the platforms know of a resource type. */
export const resourceFacts = (type: string, among = platforms): ResourceFacts | undefined =>
  among.map(({ resources }) => resources[type]).find((facts) => facts !== undefined);

/** Whether each resource of a type is a machine, which is named after its node. */
export const isMachineType = (type: string, among = platforms): boolean =>
  resourceFacts(type, among)?.isMachine === true;
