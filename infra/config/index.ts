import { z } from "zod";

import { checkConfig } from "./checks/index.ts";
import { cloudflareSchema } from "./cloudflare.ts";
import { clusterSchema } from "./cluster.ts";
import { ConfigurationError, type ConfigurationProblem } from "./error.ts";
import { escrowSchema } from "./escrow.ts";
import { gitopsSchema } from "./gitops.ts";
import { imagesSchema } from "./images.ts";
import { networkSchema } from "./network.ts";
import { nodesSchema } from "./nodes.ts";
import { proxmoxSchema } from "./proxmox.ts";

export { ConfigurationError } from "./error.ts";
export type { NodeConfig } from "./nodes.ts";

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

/**
 * Parses what a stack file says.
 *
 * @throws ConfigurationError naming every problem with its path.
 */
export const parseConfig = (stack: string, raw: unknown): HearthConfig => {
  const parsed = schema.safeParse(raw);
  const problems = parsed.success ? checkConfig(parsed.data) : parsed.error.issues.map(problemOf);
  if (parsed.success && problems.length === 0) return parsed.data;
  throw new ConfigurationError(stack, problems);
};

const problemOf = ({ path, message }: z.core.$ZodIssue): ConfigurationProblem => {
  const [problem = "", advice = ""] = message.split("\n");
  return { path, problem, advice };
};
