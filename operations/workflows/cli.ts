import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";

import type { Call } from "../../lib/terminal/command.ts";
import { actionlint } from "./actionlint.ts";
import { dangersOf, type Danger } from "./dangers.ts";

/** Checks every workflow and local action with actionlint, and for dangers. */
export const workflows = async ({ root, complain, answer }: Call): Promise<number> => {
  const found = globSync(".github/workflows/*.{yml,yaml}", { cwd: root }).sort();
  const files = [...found, ...globSync(".github/actions/*/action.{yml,yaml}", { cwd: root }).sort()];
  const dangers = files.flatMap((file) => dangersOf(file, readFileSync(join(root, file), "utf8")));
  const all = [...dangers, ...(await actionlint(root, found))];
  for (const danger of all) complain(line(danger));
  answer(all);
  return all.length > 0 ? 1 : 0;
};

const line = ({ file, line: number, problem, advice }: Danger): string =>
  `${file}:${number}: ${problem}${advice === "" ? "" : `: ${advice}`}`;
