import { join } from "node:path";
import { createInterface } from "node:readline";

import { Problem } from "../../toolchain/problem.ts";

/** The checkout that a command runs in, and its input and output. */
export interface Session {
  /** The checkout's root. */
  root: string;
  /** Prints the output. */
  print: (text: string) => void;
  /** Prints an error or a warning. */
  complain: (text: string) => void;
  /** Asks the person; undefined without a terminal. */
  ask?: ((question: string) => Promise<string>) | undefined;
}

/**
 * Asks at a terminal, one question after another. Lines that are pasted together answer one question each, and the beginning of a line stays
 * for the next one to go on with.
 */
export const asking = (input: NodeJS.ReadableStream, output: NodeJS.WritableStream) => {
  const waiting: string[] = [];
  let begun = "";
  return (question: string): Promise<string> => {
    const next = waiting.shift();
    if (next !== undefined) {
      output.write(`${question}${next}\n`);
      return Promise.resolve(next);
    }
    return new Promise((resolve, reject) => {
      const terminal = createInterface({ input, output, terminal: true, historySize: 0 });
      let answer: string | undefined;
      terminal.on("line", (line) => {
        if (answer !== undefined) return void waiting.push(line);
        answer = line;
        // What was pasted with it arrives in the same chunk.
        setImmediate(() => {
          begun = terminal.line;
          terminal.close();
        });
      });
      terminal.on("SIGINT", () => {
        process.kill(process.pid, "SIGINT");
        terminal.close();
      });
      terminal.on("close", () => {
        if (answer === undefined) reject(new Problem("Nobody answered: the input has ended"));
        else resolve(answer);
      });
      terminal.setPrompt(question);
      terminal.prompt();
      terminal.write(begun);
      begun = "";
    });
  };
};

/** Asks the person whether to continue. @throws Problem if there is nobody to ask */
export const agreed = async ({ ask }: Pick<Session, "ask">, question: string): Promise<boolean> => {
  if (!ask) throw new Problem(`${question} Nobody is here to answer: say so with --yes`);
  return /^y(es)?$/i.test((await ask(`${question} [y/N] `)).trim());
};

/**
 * Has the person type the name of what is destroyed. `--yes` does not do that.
 *
 * @param given the name where a flag gave it
 * @throws Problem if it is another name, or if nobody can type it
 */
export const typedName = async (
  { ask }: Pick<Session, "ask">,
  what: string,
  name: string,
  given: string | undefined,
): Promise<true> => {
  const typed = given ?? (await ask?.(`${what}\nType the stack's name to do that: `));
  if (typed?.trim() === name) return true;
  throw new Problem(`${what}\nNothing was done: type the name, or give --confirm ${name}`);
};

/** A session whose standard output can be kept for an answer. */
export interface Terminal extends Session {
  /** Reserves standard output for the one text that the returned function prints. Everything else goes to standard error from then on. */
  claim: () => (text: string) => void;
}

/** The person's terminal, or the script's pipes. */
export const terminal = (root = join(import.meta.dirname, "../..")): Terminal => ({
  root,
  print: console.log,
  complain: console.error,
  ask: process.stdin.isTTY ? asking(process.stdin, process.stderr) : undefined,
  claim: () => {
    const write = process.stdout.write.bind(process.stdout);
    process.stdout.write = process.stderr.write.bind(process.stderr);
    return (text) => void write(`${text}\n`);
  },
});
