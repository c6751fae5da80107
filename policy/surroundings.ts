import { join } from "node:path";

import { checkStacks } from "../infra/config/checks/across.ts";
import { stackFile } from "../infra/config/error.ts";
import type { HearthConfig } from "../infra/config/index.ts";
import { examineStackFile, readStackFile, stacksIn } from "../infra/config/stack-file.ts";
import { rolloutNote } from "../infra/rollout.ts";
import { readTree } from "../infra/tree.ts";
import { PulumiStack } from "../lib/engine/pulumi-stack.ts";
import { Pulumi } from "../lib/engine/pulumi.ts";
import { escrowProblem } from "./escrow.ts";
import { recordedIn } from "./recorded.ts";
import type { Surroundings } from "./stack.ts";

/**
 * Reads a stack's surroundings: its committed stack file, the files of other stacks, the tree, and the state.
 *
 * Exemptions are read from the committed file, where a review sees them. `--config` has no effect on them.
 *
 * @param root folder of the checkout
 * @throws Error if one of them cannot be read: a policy that knows too little must not pass
 */
export const surroundingsOf = async (root: string, stack: string): Promise<Surroundings> => {
  const config = configOf(root, stack);
  // The engine starts this process, with its own pulumi first on PATH.
  const engine = new PulumiStack(new Pulumi("pulumi", root), stack, join(root, stackFile(stack)));
  const recorded = await recordedIn(engine);
  const { version, values } = readTree(config, root).cilium;
  return {
    stack,
    config,
    cilium: { version, values },
    collisions: collisionsOf(root, stack, config),
    recorded,
    escrow: await escrowProblem(root, stack, config, recorded),
    isPlanned: rolloutNote(process.env)?.isPlanned === true,
  };
};

/**
 * Returns the committed configuration of a stack.
 *
 * @throws Error if it is invalid or cannot be deployed
 */
export const configOf = (root: string, stack: string, env: NodeJS.ProcessEnv = process.env): HearthConfig => {
  const { config, problems, undeployable } = examineStackFile(readStackFile(root, stack));
  // The lab replaces the recipients in the configuration that it runs.
  const gaps = env.HEARTH_LAB === undefined ? undeployable : [];
  if (config && gaps.length === 0) return config;
  const [first] = [...problems, ...gaps];
  throw new Error(
    `${stackFile(stack)} is not valid: ${first?.path.map(String).join(".") ?? ""} ${first?.problem ?? ""}`,
  );
};

/** Returns the conflicts with other stacks. The stack is checked last, so that it gets the problem. */
const collisionsOf = (root: string, stack: string, config: HearthConfig): Surroundings["collisions"] => {
  const others = stacksIn(root)
    .filter((other) => other !== stack)
    .flatMap((other): [string, HearthConfig][] => {
      const { config: theirs } = examineStackFile(readStackFile(root, other));
      return theirs ? [[other, theirs]] : [];
    });
  return (checkStacks([...others, [stack, config]])[stack] ?? []).filter(({ warning }) => warning !== true);
};
