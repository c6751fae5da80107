import { existsSync } from "node:fs";
import { join } from "node:path";

import { stackFile } from "../infra/config/error.ts";
import { advise } from "../infra/config/nearest.ts";
import { stacksIn } from "../infra/config/stack-file.ts";
import { Target } from "../lib/engine/target.ts";
import type { Call, Command, Handler } from "../lib/terminal/command.ts";
import { requireUsualBackend } from "../lib/secrets/usual-backend.ts";
import { Display } from "../lib/terminal/display.ts";
import { readFlags } from "../lib/terminal/flags.ts";
import { sorted } from "../lib/terminal/forms.ts";
import { help, overview } from "../lib/terminal/help.ts";
import { agreed, type Terminal } from "../lib/terminal/session.ts";
import { Problem } from "../toolchain/problem.ts";
import { requireOwnData } from "./preview/foreign-data.ts";

/**
 * Runs a command line.
 *
 * @returns its exit code
 * @throws Problem for an unknown command, word, flag or stack, with the nearest known one
 */
export const hearth = async (
  argv: readonly string[],
  terminal: Terminal,
  table: readonly Command[],
): Promise<number> => {
  const [first = "--help", ...rest] = argv;
  const isHelp = ["--help", "-h", "help"].includes(first);
  if (isHelp && rest.length === 0) {
    terminal.print(overview(table));
    return 0;
  }
  const [name = "", args] = isHelp ? [rest[0], ["--help"]] : [first, rest];
  const command = table.find((each) => each.name === name);
  if (command === undefined) throw unknownCommand(name, table);
  const call = await callFor(command, args, terminal);
  if (call === undefined) {
    terminal.print(await help(command));
    return 0;
  }
  if (["change", "protect", "recover"].includes(command.group)) await requireOwnData(terminal.root);
  try {
    const handler = (await command.load()) as Handler<Record<string, unknown>>;
    return await handler(call);
  } finally {
    call.display.clear();
  }
};

/** The arguments of a command's call; undefined if only its help is requested. */
export const callFor = async (
  command: Command,
  given: string[],
  { root, print, complain, ask, claim }: Terminal,
): Promise<Call<Record<string, unknown>> | undefined> => {
  const { name, forms, json, uses } = command;
  const { positionals, common, values } = readFlags(name, given, await command.flags());
  if (common.help) return undefined;
  if (common.json && json === undefined) {
    throw new Problem(`${name} has no answer for a script but its exit code: leave --json out`);
  }
  const { stacks, args } = sorted(name, Object.keys(forms), positionals);
  for (const stack of stacks) requireStack(root, stack);
  const display = new Display();
  const answer = common.json ? claim() : undefined;
  const [stack = ""] = stacks;
  return {
    root,
    complain,
    ask,
    args,
    values,
    stack,
    stacks,
    isLab: common.lab,
    identities: common.identity,
    backend: common.backend,
    display,
    print: (text) => {
      display.clear();
      print(text);
    },
    open: async () => {
      const target = await Target.open(root, stack, { lab: common.lab });
      if (uses.includes("backend")) await requireUsualBackend(target, common.backend);
      return target;
    },
    agreed: (question) => (common.yes ? Promise.resolve(true) : agreed({ ask }, question)),
    answer: (value) => answer?.(JSON.stringify(value, undefined, 2)),
  };
};

const unknownCommand = (name: string, table: readonly Command[]): Problem => {
  if (name.startsWith("-")) return new Problem(`Begin with a command, and put ${name} after it\n\n${overview(table)}`);
  return new Problem(
    `There is no command ${name}: ${advise(
      name,
      table.map((each) => each.name),
    )}\nnpx hearth --help says what each does`,
  );
};

const requireStack = (root: string, stack: string): void => {
  if (/^[\w-]+$/.test(stack) && existsSync(join(root, stackFile(stack)))) return;
  const known = stacksIn(root);
  const advice = known.length === 0 ? "npx hearth init dev writes one" : advise(stack, known);
  throw new Problem(`There is no stack ${stack}, as ${stackFile(stack)} is missing: ${advice}`);
};
