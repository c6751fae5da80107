import type { ParseArgsConfig } from "node:util";

import { readArguments } from "../../toolchain/arguments.ts";
import { Problem } from "../../toolchain/problem.ts";
import { check } from "./check.ts";
import { init, initOptions } from "./init.ts";
import { inventory } from "./inventory.ts";
import type { Session } from "./session.ts";

const usage = `Usage: npm run config -- COMMAND

  check [STACK…]   say what is wrong with stack files, each by itself and against the others; all unless named
  inventory        list the nodes of all stacks
  init [STACK]     write a new stack file; asks for what it is not told (init --help lists the flags)
  schema           write the JSON Schema by which editors complete and check stack files
                   (--check only says whether it is what the program has)`;

type Options = NonNullable<ParseArgsConfig["options"]>;
type Values = Record<string, string | boolean | (string | boolean)[] | undefined>;

/** A command: says by its exit code whether all is well. */
type Command = (session: Session, positionals: string[], values: Values) => number | Promise<number>;

// TypeScript's compiler is needed by this command alone, and takes its time to load.
const schema: Command = async (...args) => (await import("./schema.ts")).schema(...args);

const commands: Record<string, { run: Command; options?: Options }> = {
  check: { run: check },
  inventory: { run: inventory },
  init: { run: init, options: initOptions },
  schema: { run: schema, options: { check: { type: "boolean" } } },
};

/**
 * Runs one command.
 *
 * @returns its exit code
 */
export const cli = async ([name = "--help", ...args]: string[], session: Session): Promise<number> => {
  const command = commands[name];
  if (!command) {
    if (["--help", "-h", "help"].includes(name)) {
      session.print(usage);
      return 0;
    }
    throw new Problem(`There is no command ${name}\n\n${usage}`);
  }
  const { positionals, values } = readArguments(args, command.options ?? {}, usage);
  if (values.help === true && command.run !== init) {
    session.print(usage);
    return 0;
  }
  return command.run(session, positionals, values);
};
