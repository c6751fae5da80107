import type { Session } from "../../lib/terminal/session.ts";
import type { Copied } from "./destination.ts";

/** Prints the result of each copy, and returns whether all succeeded. */
export const tellCopies = (
  copies: readonly Copied[],
  verb: "Kept in" | "Copied to",
  { print, complain }: Pick<Session, "print" | "complain">,
): boolean => {
  for (const { destination, problem } of copies) {
    if (problem === undefined) print(`${verb} ${destination}, and read back`);
    else complain(`Not ${verb.toLowerCase()} ${destination}: ${problem}`);
  }
  return copies.every(({ problem }) => problem === undefined);
};
