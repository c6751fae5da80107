import { Problem } from "../../toolchain/problem.ts";
import type { Examined } from "../../infra/config/index.ts";
import { alternatives } from "../../infra/config/nearest.ts";
import type { HearthConfig } from "../../infra/config/schema.ts";
import { examineStackFile, readStackFile, stacksIn } from "../../infra/config/stack-file.ts";

/** Looks at every stack file of a folder, by the name of its stack. */
export const examineStacks = (folder: string): Map<string, Examined> => {
  const stacks = stacksIn(folder);
  if (stacks.length === 0) throw new Problem("There is no stack file; write one with: npm run config -- init dev");
  return new Map(stacks.map((stack) => [stack, examineStackFile(readStackFile(folder, stack))]));
};

/** The stacks that are valid by themselves. */
export const validStacks = (examined: Map<string, Examined>): [string, HearthConfig][] =>
  [...examined].flatMap(([stack, { config }]) => (config ? [[stack, config] as [string, HearthConfig]] : []));

/** Refuses names of stacks that have no file. */
export const requireStacks = (wanted: string[], known: string[]): void => {
  const missing = wanted.find((stack) => !known.includes(stack));
  if (missing !== undefined) throw new Problem(`There is no Pulumi.${missing}.yaml; there is ${alternatives(known)}`);
};
