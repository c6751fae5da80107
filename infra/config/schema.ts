import { z } from "zod";

import { platformGroups, platforms as all } from "../platforms/index.ts";
import type { Platform } from "../platforms/platform.ts";
import { cloudflareSchema } from "./cloudflare.ts";
import { publicFactory } from "../../components/talos/schematic.ts";
import { clusterSchema } from "./cluster.ts";
import { says } from "./error.ts";
import { escrowSchema } from "./escrow.ts";
import { gitopsSchema } from "./gitops.ts";
import { imagesSchema } from "./images.ts";
import type { JsonSchema } from "./json-schema.ts";
import { networkSchema } from "./network.ts";
import { nodesSchemaOf, poolsSchemaOf } from "./platform-nodes.ts";
import { policySchema } from "./policy.ts";
import { rolloutSchema } from "./rollout.ts";

/** Schema of the keys under `hearth:` in a stack file, without the secrets. */
export const schema = z.strictObject({
  /** The Talos cluster: its releases, its address ranges, and the settings that all its machines share. */
  cluster: clusterSchema,
  /** The network that machines are in. */
  network: networkSchema,
  /** Image Factory profiles by name. */
  images: imagesSchema,
  /** URL of the Image Factory that builds the images, without a path: Siderolabs' or one of your own. */
  imageFactory: z
    .url({
      protocol: /^https$/,
      error: says("is not the URL of an Image Factory", "write one such as https://factory.talos.dev"),
    })
    .refine(
      (url) => ["", "/"].includes(new URL(url).pathname),
      says("has a path", "write the scheme and the host alone"),
    )
    .default(publicFactory),
  /** Nodes by name, `<site>-<env>-<purpose><serial>`. */
  nodes: nodesSchemaOf(all),
  /**
   * Pools of nodes that differ in their numbers only, by the part of their names before the number. A pool has the keys of a node, and
   * those that give each of its machines an address, a host and a number.
   */
  pools: poolsSchemaOf(all).default({}),
  ...platformGroups,
  /** Tunnels and DNS. Without this key there are none. */
  cloudflare: cloudflareSchema.optional(),
  /** The cluster's repository, and the engine that reconciles the cluster with it. */
  gitops: gitopsSchema,
  /** Recipients and destinations of the escrow, the file with the stack's root secrets. */
  escrow: escrowSchema.optional(),
  /** How a deployment takes machines out of service. */
  rollout: rolloutSchema.prefault({}),
  /** Settings of the policy pack. */
  policy: policySchema.prefault({}),
});

/** Returns the schema with other platforms than this project's. */
export const schemaOf = (platforms: readonly Platform[]): typeof schema =>
  platforms === all
    ? schema
    : (schema
        .omit(Object.fromEntries(Object.keys(platformGroups).map((key) => [key, true])) as { proxmox: true })
        .extend({
          nodes: nodesSchemaOf(platforms),
          pools: poolsSchemaOf(platforms).default({}),
          ...Object.assign({}, ...platforms.map(({ groups }) => groups)),
        }) as unknown as typeof schema);

/** The validated configuration of one stack. */
export type HearthConfig = z.output<typeof schema>;

/** Returns the keys of the stack file that hold objects without secrets. */
export const configKeysOf = (platforms: readonly Platform[]): (keyof HearthConfig)[] =>
  Object.keys(schemaOf(platforms).shape) as (keyof HearthConfig)[];

export const configKeys = configKeysOf(all);

/** Returns the JSON Schema of what a person writes, without the comments on its keys. */
export const bareDocument = (platforms = all): JsonSchema =>
  z.toJSONSchema(schemaOf(platforms), { io: "input", target: "draft-7", unrepresentable: "any" }) as JsonSchema;
