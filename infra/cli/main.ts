import { createInterface } from "node:readline/promises";

import { explain } from "../../toolchain/problem.ts";
import { cli } from "./cli.ts";

const ask = async (question: string): Promise<string> => {
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return await terminal.question(question);
  } finally {
    terminal.close();
  }
};

try {
  process.exitCode = await cli(process.argv.slice(2), {
    folder: process.cwd(),
    print: console.log,
    complain: console.error,
    ask: process.stdin.isTTY ? ask : undefined,
  });
} catch (error) {
  console.error(explain(error));
  process.exitCode = 1;
}
