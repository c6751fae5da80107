import { z } from "zod";

import { cloudflareSchema } from "./cloudflare.ts";
import { clusterSchema } from "./cluster.ts";
import { escrowSchema } from "./escrow.ts";
import { gitopsSchema } from "./gitops.ts";
import { imagesSchema } from "./images.ts";
import type { JsonSchema } from "./json-schema.ts";
import { networkSchema } from "./network.ts";
import { nodesSchema } from "./nodes.ts";
import { proxmoxSchema } from "./proxmox.ts";

/** What a stack file says under `hearth:`, save its secrets. */
export const schema = z.strictObject({
  cluster: clusterSchema,
  network: networkSchema,
  images: imagesSchema,
  nodes: nodesSchema,
  proxmox: proxmoxSchema.optional(),
  cloudflare: cloudflareSchema.optional(),
  gitops: gitopsSchema,
  escrow: escrowSchema.optional(),
});

/** What one stack's configuration says, validated. */
export type HearthConfig = z.output<typeof schema>;

/** Keys of the stack file that hold objects without secrets. */
export const configKeys = Object.keys(schema.shape) as (keyof HearthConfig)[];

/** The schema as JSON Schema, of what a person writes; without what comments say of its keys. */
export const bareDocument = (): JsonSchema =>
  z.toJSONSchema(schema, { io: "input", target: "draft-7", unrepresentable: "any" }) as JsonSchema;
