import type { Session } from "../../lib/terminal/session.ts";
import type { Copied } from "./place.ts";

/** Says of each copy how it went; gives whether all went well. */
export const tellCopies = (
  copies: readonly Copied[],
  verb: "Kept in" | "Copied to",
  { print, complain }: Pick<Session, "print" | "complain">,
): boolean => {
  for (const { place, problem } of copies) {
    if (problem === undefined) print(`${verb} ${place}, and read back`);
    else complain(`Not ${verb.toLowerCase()} ${place}: ${problem}`);
  }
  return copies.every(({ problem }) => problem === undefined);
};
