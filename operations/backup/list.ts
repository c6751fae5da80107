import { table } from "../../lib/terminal/display.ts";
import type { Call } from "../../lib/terminal/command.ts";
import { Problem } from "../../toolchain/problem.ts";
import type { Backups, Chosen } from "./backups.ts";

/** Prints the backups, those that are unsigned, and problems; only these make it fail. */
export const list = async (backups: Backups, { print, complain, answer }: Call): Promise<number> => {
  const { backups: found, problems, unsigned } = await backups.list();
  if (found.length > 0) {
    print(
      table(
        ["backup", "in"],
        found.map(({ name, destinations }) => [name, destinations.map((destination) => destination.name).join(", ")]),
      ),
    );
  } else print("There is no backup");
  answer({
    backups: found.map(({ name, destinations }) => ({ name, in: destinations.map((destination) => destination.name) })),
    ...{ problems, unsigned },
  });
  for (const problem of [...unsigned, ...problems]) complain(problem);
  return problems.length > 0 ? 1 : 0;
};

/**
 * Chooses a backup for a command, and prints what was skipped.
 *
 * @param name the newest unless given
 * @param unsigned name of a backup that is taken although it is unsigned
 */
export const choose = async (
  backups: Backups,
  name: string | undefined,
  unsigned: string | undefined,
  { complain }: Pick<Call, "complain">,
): Promise<Chosen> => {
  if (name !== undefined && unsigned !== undefined && name !== unsigned) {
    throw new Problem(`--unsigned ${unsigned} is another backup than ${name}: name one`);
  }
  const chosen = await backups.choose(name ?? unsigned, { ...(unsigned !== undefined && { unsigned }) });
  for (const each of chosen.skipped) complain(`Skipped: ${each}`);
  return chosen;
};
