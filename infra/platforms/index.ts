import { alternatives } from "../config/nearest.ts";
import { metal } from "./metal/index.ts";
import { proxmox } from "./proxmox/index.ts";
import type { Platform, ResourceFacts } from "./platform.ts";

const known = [proxmox, metal] as const;

/** All platforms. A new one is a folder beside these, a word here, and one in `makers.ts`. */
export const platforms: readonly Platform[] = known;

export type PlatformName = (typeof known)[number]["name"];

/** Schemas of a node, one a platform. */
export const nodeSchemas = [proxmox.node, metal.node] as const;

/** Groups of the stack file that platforms have. */
export const platformGroups = { ...proxmox.groups, ...metal.groups };

/** Secrets of platforms by their key under `hearth:`. */
export const platformSecrets = { ...proxmox.secrets, ...metal.secrets };

/** The platform of a node. */
export const platformOf = ({ platform }: { platform: string }, among = platforms): Platform => {
  const found = among.find(({ name }) => name === platform);
  if (!found) throw new Error(`${platform} is not a platform`);
  return found;
};

/** The nodes of a platform, by name. */
export const nodesOf = <Node extends { platform: string }>(
  nodes: Record<string, Node>,
  { name }: Pick<Platform, "name">,
): Record<string, Node> => Object.fromEntries(Object.entries(nodes).filter(([, { platform }]) => platform === name));

/** What a configuration says in the group of a platform's name. */
export const settingsOf = (config: object, { name }: Pick<Platform, "name">): unknown =>
  (config as Record<string, unknown>)[name];

/** The platform that a node looks like which names none, and why: by a key that only this platform has, or by none such. */
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

/** What platforms know of a type of resources. */
export const resourceFacts = (type: string, among = platforms): ResourceFacts | undefined =>
  among.map(({ resources }) => resources[type]).find((facts) => facts !== undefined);

/** Whether each resource of a type is a machine, named after its node. */
export const isMachineType = (type: string, among = platforms): boolean =>
  resourceFacts(type, among)?.isMachine === true;
