import { Problem } from "../../toolchain/problem.ts";
import type { Examined } from "../../infra/config/index.ts";
import type { HearthConfig } from "../../infra/config/schema.ts";
import { examineStackFile, readStackFile, stacksIn } from "../../infra/config/stack-file.ts";

/** Examines every stack file of a folder, by stack name. */
export const examineStacks = (root: string): Map<string, Examined> => {
  const stacks = stacksIn(root);
  if (stacks.length === 0) throw new Problem("There is no stack file; write one with: npx hearth init dev");
  return new Map(stacks.map((stack) => [stack, examineStackFile(readStackFile(root, stack))]));
};

/** The stacks that are valid by themselves. */
export const validStacks = (examined: Map<string, Examined>): [string, HearthConfig][] =>
  [...examined].flatMap(([stack, { config }]) => (config ? [[stack, config] as [string, HearthConfig]] : []));
