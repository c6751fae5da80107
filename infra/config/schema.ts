import { z } from "zod";

import { cloudflareSchema } from "./cloudflare.ts";
import { clusterSchema } from "./cluster.ts";
import { escrowSchema } from "./escrow.ts";
import { gitopsSchema } from "./gitops.ts";
import { imagesSchema } from "./images.ts";
import type { JsonSchema } from "./json-schema.ts";
import { networkSchema } from "./network.ts";
import { nodesSchema } from "./nodes.ts";
import { policySchema } from "./policy.ts";
import { proxmoxSchema } from "./proxmox.ts";

/** What a stack file says under `hearth:`, save its secrets. */
export const schema = z.strictObject({
  /** The Talos cluster: its releases, its ranges of addresses, and what all its machines have. */
  cluster: clusterSchema,
  /** The network that machines are in. */
  network: networkSchema,
  /** Image Factory profiles by name. */
  images: imagesSchema,
  /** Nodes by name, `<site>-<env>-<purpose><serial>`. */
  nodes: nodesSchema,
  /** The Proxmox cluster, where nodes are virtual machines. */
  proxmox: proxmoxSchema.optional(),
  /** Tunnels and DNS; without it there are none. */
  cloudflare: cloudflareSchema.optional(),
  /** The repository that the cluster is kept at, and what keeps it there. */
  gitops: gitopsSchema,
  /** Who can open the file with the stack's root secrets. */
  escrow: escrowSchema.optional(),
  /** What the policy pack asks of the stack. */
  policy: policySchema.prefault({}),
});

/** What one stack's configuration says, validated. */
export type HearthConfig = z.output<typeof schema>;

/** Keys of the stack file that hold objects without secrets. */
export const configKeys = Object.keys(schema.shape) as (keyof HearthConfig)[];

/** The schema as JSON Schema, of what a person writes; without what comments say of its keys. */
export const bareDocument = (): JsonSchema =>
  z.toJSONSchema(schema, { io: "input", target: "draft-7", unrepresentable: "any" }) as JsonSchema;
