import { z } from "zod";

import { likelyPlatform, nodeSchemas, platforms as all, poolSchemas } from "../platforms/index.ts";
import type { Platform } from "../platforms/platform.ts";
import { says } from "./error.ts";
import { advise } from "./nearest.ts";
import { name } from "./values.ts";

type NodeSchema = z.ZodDiscriminatedUnion<[...typeof nodeSchemas]>;

/** Returns the schema of a node on any of the platforms. */
export const nodeSchemaOf = (platforms: readonly Platform[]): NodeSchema =>
  z.discriminatedUnion("platform", platforms.map(({ node }) => node) as unknown as [...typeof nodeSchemas], {
    error: ({ input }) => platformMistake(input, platforms),
  });

const platformMistake = (node: unknown, platforms: readonly Platform[]): string => {
  const names = platforms.map((platform) => platform.name);
  if (typeof node !== "object" || node === null)
    return says("is not a node", "write its keys, such as platform and role");
  const { platform: written } = node as { platform?: unknown };
  if (written !== undefined && written !== null)
    return says("is not a platform", advise(typeof written === "string" ? written : JSON.stringify(written), names));
  const likely = likelyPlatform(node, platforms);
  if (!likely) return says("is missing", `add platform: ${names.join(" or platform: ")}`);
  return says("is missing", `add platform: ${likely.platform.name}, for ${likely.because}`);
};

const poolName = z
  .string()
  .regex(
    /^[a-z0-9-]*[a-z]$/,
    says("is not the name of a pool", "write its nodes' without the number, such as den-dev-wk"),
  );

/** Pools of nodes by the part of their nodes' names before the number. */
export const poolsSchemaOf = (platforms: readonly Platform[]) =>
  z.record(
    poolName,
    z.discriminatedUnion(
      "platform",
      platforms.flatMap(({ pool }) => pool?.schema ?? []) as unknown as [...typeof poolSchemas],
      { error: says("is not a platform that has pools", "write platform: proxmox or platform: metal") },
    ),
  );

/** Nodes by name. */
export const nodesSchemaOf = (platforms: readonly Platform[]) => z.record(name, nodeSchemaOf(platforms));

export const nodeSchema = nodeSchemaOf(all);

export type NodeConfig = z.output<typeof nodeSchema>;
