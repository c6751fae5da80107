import type { Call } from "../../lib/terminal/command.ts";
import { HiddenLines } from "../../lib/terminal/hidden-lines.ts";
import { Problem } from "../../toolchain/problem.ts";

/**
 * Reads a value for each key, a line each, in their order. At a terminal it asks for each, and shows nothing of it.
 *
 * @throws Problem if one is missing
 */
export const readValues = async (
  keys: readonly string[],
  input: NodeJS.ReadableStream,
  session: Pick<Call, "ask" | "complain">,
): Promise<Record<string, string>> => {
  const lines = new HiddenLines(input);
  try {
    const values: Record<string, string> = {};
    for (const key of keys) {
      if (session.ask !== undefined) session.complain(`${key}:`);
      const value = await lines.next();
      if (value === undefined || value === "")
        throw new Problem(`There is no value for ${key}: give a line for each key`);
      values[key] = value;
    }
    return values;
  } finally {
    lines.close();
  }
};
