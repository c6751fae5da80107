import { join } from "node:path";
import { createInterface } from "node:readline/promises";

import { sweepPrivateFolders } from "../secrets/private-folder.ts";
import { explain, Problem } from "../../toolchain/problem.ts";

/** Where a command runs, and whom it talks to. */
export interface Session {
  /** The checkout's root. */
  root: string;
  /** Says what was asked for. */
  print: (text: string) => void;
  /** Says what is wrong. */
  complain: (text: string) => void;
  /** Asks the person; undefined where nobody is there. */
  ask?: ((question: string) => Promise<string>) | undefined;
}

const ask = async (question: string): Promise<string> => {
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return await terminal.question(question);
  } finally {
    terminal.close();
  }
};

/** Asks the person whether to go on, and refuses where nobody is there. */
export const agreed = async ({ ask }: Pick<Session, "ask">, question: string): Promise<boolean> => {
  if (!ask) throw new Problem(`${question} Nobody is here to answer: say so with --yes`);
  return /^y(es)?$/i.test((await ask(`${question} [y/N] `)).trim());
};

/** Runs a command for the person at the terminal: a mistake of theirs is told without a stack trace. */
export const runCommand = async (
  command: (args: string[], session: Session) => Promise<number>,
  root = join(import.meta.dirname, "../.."),
): Promise<void> => {
  const session = { root, print: console.log, complain: console.error, ask: process.stdin.isTTY ? ask : undefined };
  try {
    sweepPrivateFolders();
    process.exitCode = await command(process.argv.slice(2), session);
  } catch (error) {
    console.error(explain(error));
    process.exitCode = 1;
  }
};
