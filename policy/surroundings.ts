import { join } from "node:path";

import { stackFile } from "../infra/config/error.ts";
import { rolloutNote } from "../infra/rollout.ts";
import { PulumiStack } from "../lib/engine/pulumi-stack.ts";
import { Pulumi } from "../lib/engine/pulumi.ts";
import { storedState } from "../lib/engine/stored-state.ts";
import type { Checkout } from "./checkout.ts";
import { escrowProblem } from "./escrow.ts";
import { recordedIn, recordedOf } from "./recorded.ts";
import type { Recorded, Surroundings } from "./stack.ts";

/**
 * Reads a stack's surroundings: its committed stack file, the files of other stacks, the tree, and the state.
 *
 * @throws Error if one of them cannot be read: a policy that knows too little must not pass
 */
export const surroundingsOf = async (checkout: Checkout, stack: string): Promise<Surroundings> => {
  const config = checkout.config(stack);
  const recorded = await before(checkout.root, stack);
  const { version, values } = checkout.tree(stack).cilium;
  return {
    stack,
    config,
    cilium: { version, values },
    collisions: checkout.collisions(stack),
    recorded,
    escrow: await escrowProblem(checkout.root, stack, config, recorded),
    isPlanned: rolloutNote(process.env)?.isPlanned === true,
  };
};

/** The stack's resources before the run. */
const before = async (root: string, stack: string): Promise<Recorded[]> => {
  const stored = await storedState(root, stack);
  if (stored) return recordedOf(stored);
  // The engine starts this process, with its own pulumi first on PATH.
  return recordedIn(new PulumiStack(new Pulumi("pulumi", root), stack, join(root, stackFile(stack))));
};
