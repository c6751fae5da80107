import { commands } from "../../operations/commands.ts";
import { callFor, hearth as run } from "../../operations/hearth.ts";
import type { Call, Command } from "../../lib/terminal/command.ts";
import type { Session, Terminal } from "../../lib/terminal/session.ts";
import { explain } from "../../toolchain/problem.ts";

export interface Outcome {
  exitCode: number;
  stdout: string;
  stderr: string;
}

/**
 * Runs `npx hearth ARGUMENTS` on a checkout, in this process.
 *
 * @param answers the input of the person at the terminal, if there is one
 */
export const hearth = async (
  root: string,
  args: string[],
  answers?: string[],
  table: readonly Command[] = commands,
): Promise<Outcome> => {
  const [stdout, stderr]: [string[], string[]] = [[], []];
  let print = (text: string): number => stdout.push(text);
  const terminal: Terminal = {
    root,
    print: (text) => print(text),
    complain: (text) => stderr.push(text),
    ask: answers && (() => Promise.resolve(answers.shift() ?? "")),
    claim: () => {
      print = (text) => stderr.push(text);
      return (text) => stdout.push(text);
    },
  };
  const exitCode = await run(args, terminal, table).catch((error: unknown) => {
    stderr.push(explain(error));
    return 1;
  });
  return { exitCode, stdout: stdout.join("\n"), stderr: stderr.join("\n") };
};

/** The arguments of a command's handler, for a test that gives the handler more than the command line does. */
export const callOf = async (
  name: string,
  args: string[],
  {
    root = new URL("../../", import.meta.url).pathname,
    print = () => undefined,
    complain = () => undefined,
    ask,
  }: Partial<Session>,
): Promise<Call> => {
  const command = commands.find((each) => each.name === name);
  if (command === undefined) throw new Error(`There is no command ${name}`);
  const call = await callFor(command, args, { root, print, complain, ask, claim: () => () => undefined });
  if (call === undefined) throw new Error("It asks for help");
  return call;
};
