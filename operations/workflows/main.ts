import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";

import { runCommand } from "../../lib/terminal/session.ts";
import { actionlint } from "./actionlint.ts";
import { dangersOf, type Danger } from "./dangers.ts";

const root = join(import.meta.dirname, "..", "..");

/** Looks at every workflow and local action: by actionlint, and for what is dangerous. */
const main = async (): Promise<number> => {
  const workflows = globSync(".github/workflows/*.{yml,yaml}", { cwd: root }).sort();
  const files = [...workflows, ...globSync(".github/actions/*/action.{yml,yaml}", { cwd: root }).sort()];
  const dangers = files.flatMap((file) => dangersOf(file, readFileSync(join(root, file), "utf8")));
  const all = [...dangers, ...(await actionlint(root, workflows))];
  for (const danger of all) console.error(line(danger));
  return all.length > 0 ? 1 : 0;
};

const line = ({ file, line: number, problem, advice }: Danger): string =>
  `${file}:${number}: ${problem}${advice === "" ? "" : `: ${advice}`}`;

await runCommand(main);
