import { checkStacks } from "../infra/config/checks/across.ts";
import { stackFile } from "../infra/config/error.ts";
import type { HearthConfig } from "../infra/config/index.ts";
import { examineStackFile, readStackFile, stacksIn } from "../infra/config/stack-file.ts";
import { readTree, type Tree } from "../infra/tree.ts";
import type { Surroundings } from "./stack.ts";

/**
 * What a checkout says of its stacks. Each file is read once, when it is asked for or before.
 *
 * Exemptions are read from the committed file, where a review sees them. `--config` has no effect on them.
 */
export class Checkout {
  private readonly examined = new Map<string, ReturnType<typeof examineStackFile>>();
  private readonly trees = new Map<string, Tree>();

  /** @param root folder of the checkout */
  constructor(readonly root: string) {}

  /** Reads everything. What is wrong in it is said to whoever asks for it. */
  readAhead(): void {
    for (const stack of stacksIn(this.root)) {
      try {
        this.tree(stack);
      } catch {
        // It is read again for its stack, if that is the one that runs.
      }
    }
  }

  /**
   * Returns the committed configuration of a stack.
   *
   * @throws Error if it is invalid or cannot be deployed
   */
  config(stack: string, env: NodeJS.ProcessEnv = process.env): HearthConfig {
    const { config, problems, undeployable } = this.examine(stack);
    // The lab replaces the recipients in the configuration that it runs.
    const gaps = env.HEARTH_LAB === undefined ? undeployable : [];
    if (config && gaps.length === 0) return config;
    const [first] = [...problems, ...gaps];
    throw new Error(
      `${stackFile(stack)} is not valid: ${first?.path.map(String).join(".") ?? ""} ${first?.problem ?? ""}`,
    );
  }

  /**
   * Returns what the program reads from the tree.
   *
   * @throws Error if the stack's configuration or the tree is invalid
   */
  tree(stack: string): Tree {
    const tree = this.trees.get(stack) ?? readTree(this.config(stack), this.root);
    this.trees.set(stack, tree);
    return tree;
  }

  /** Returns the conflicts with other stacks. The stack is checked last, so that it gets the problem. */
  collisions(stack: string): Surroundings["collisions"] {
    const others = stacksIn(this.root)
      .filter((other) => other !== stack)
      .flatMap((other): [string, HearthConfig][] => {
        const { config } = this.examine(other);
        return config ? [[other, config]] : [];
      });
    const problems = checkStacks([...others, [stack, this.config(stack)]])[stack] ?? [];
    return problems.filter(({ warning }) => warning !== true);
  }

  private examine(stack: string): ReturnType<typeof examineStackFile> {
    const examined = this.examined.get(stack) ?? examineStackFile(readStackFile(this.root, stack));
    this.examined.set(stack, examined);
    return examined;
  }
}
