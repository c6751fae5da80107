import { existsSync } from "node:fs";
import { join } from "node:path";

import { stackFile } from "../../infra/config/error.ts";
import { Problem } from "../../toolchain/problem.ts";

/**
 * The one stack that a command is given.
 *
 * @throws Problem with the usage where it is none, or where the stack has no file
 */
export const stackArgument = (positionals: string[], usage: string, root: string): string => {
  const [stack, ...others] = positionals;
  if (stack === undefined || others.length > 0) throw new Problem(usage);
  if (!/^[\w-]+$/.test(stack) || !existsSync(join(root, stackFile(stack)))) {
    throw new Problem(`There is no stack ${stack}: ${stackFile(stack)} is missing`);
  }
  return stack;
};
