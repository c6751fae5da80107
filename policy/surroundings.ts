import { join } from "node:path";

import { checkStacks } from "../infra/config/checks/across.ts";
import { stackFile } from "../infra/config/error.ts";
import type { HearthConfig } from "../infra/config/index.ts";
import { examineStackFile, readStackFile, stacksIn } from "../infra/config/stack-file.ts";
import { readTree } from "../infra/tree.ts";
import { PulumiStack } from "../lib/engine/pulumi-stack.ts";
import { Pulumi } from "../lib/engine/pulumi.ts";
import { escrowProblem } from "./escrow.ts";
import { recordedIn } from "./recorded.ts";
import type { Surroundings } from "./stack.ts";

/**
 * Reads what surrounds a stack: its committed stack file, those beside it, the tree, and the state.
 *
 * Exemptions count as they are committed, where a review sees them, and not as `--config` says.
 *
 * @param root folder of the checkout
 * @throws Error where one of them cannot be read, for a policy that knows too little lets nothing pass
 */
export const surroundingsOf = async (root: string, stack: string): Promise<Surroundings> => {
  const config = configOf(root, stack);
  // The engine runs this, and is the first pulumi of its PATH.
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
  };
};

/**
 * The committed configuration of a stack.
 *
 * @throws Error where it is not valid, or cannot be deployed
 */
export const configOf = (root: string, stack: string, env: NodeJS.ProcessEnv = process.env): HearthConfig => {
  const { config, problems, undeployable } = examineStackFile(readStackFile(root, stack));
  // The lab writes its own recipients into the configuration that it runs.
  const gaps = env.HEARTH_LAB === undefined ? undeployable : [];
  if (config && gaps.length === 0) return config;
  const [first] = [...problems, ...gaps];
  throw new Error(
    `${stackFile(stack)} is not valid: ${first?.path.map(String).join(".") ?? ""} ${first?.problem ?? ""}`,
  );
};

/** What the stack takes from the others of the checkout; it comes last, so that a collision is told as its own. */
const collisionsOf = (root: string, stack: string, config: HearthConfig): Surroundings["collisions"] => {
  const others = stacksIn(root)
    .filter((other) => other !== stack)
    .flatMap((other): [string, HearthConfig][] => {
      const { config: theirs } = examineStackFile(readStackFile(root, other));
      return theirs ? [[other, theirs]] : [];
    });
  return (checkStacks([...others, [stack, config]])[stack] ?? []).filter(({ warning }) => warning !== true);
};
