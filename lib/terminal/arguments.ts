import { parseArgs, type ParseArgsOptionsConfig } from "node:util";
import { messageOf, Problem } from "../../toolchain/problem.ts";

const help = { help: { type: "boolean", short: "h" } } as const;

/**
 * Reads the arguments of a command. Every command has `--help`, and `--no-NAME` turns off what is on by default.
 *
 * @throws Problem with the usage, for an unknown option
 */
export const readArguments = <const Options extends ParseArgsOptionsConfig>(
  args: string[],
  options: Options,
  usage: string,
) => {
  try {
    return parseArgs({ args, options: { ...options, ...help }, allowPositionals: true, allowNegative: true });
  } catch (error) {
    throw new Problem(`${messageOf(error)}\n\n${usage}`);
  }
};
