import { table } from "../../lib/terminal/display.ts";
import type { Call } from "../../lib/terminal/command.ts";
import type { Backups } from "./backups.ts";

/** Prints the backups, and the destinations that do not answer. */
export const list = async (backups: Backups, { print, complain, answer }: Call): Promise<number> => {
  const { backups: found, problems } = await backups.list();
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
    problems,
  });
  for (const problem of problems) complain(problem);
  return problems.length > 0 ? 1 : 0;
};
