import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

import { stacksIn } from "../../infra/config/stack-file.ts";

/** An example's stack file. */
export interface Example {
  /** Name of its folder. */
  name: string;
  /** Names of the stacks that its folder has files of. */
  stacks: string[];
  /** Text of a stack's file. */
  read: (stack: string) => string;
}

export const examplesFolder = join(import.meta.dirname, "../../examples");

/** All examples, by their folders. */
export const examples: Example[] = readdirSync(examplesFolder, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => {
    const folder = join(examplesFolder, name);
    return {
      name,
      stacks: stacksIn(folder),
      read: (stack) => readFileSync(join(folder, `Pulumi.${stack}.yaml`), "utf8"),
    };
  });
