import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";

import { labFolder } from "../../lib/engine/lab-folder.ts";
import { keepsVolumes } from "../../lab/volumes.ts";
import { Problem } from "../../toolchain/problem.ts";
import { credentialsFor } from "../escrow/credentials.ts";
import type { Call } from "../../lib/terminal/command.ts";
import type { Target } from "../../lib/engine/target.ts";
import { fire, wipe, type Loss } from "./disaster.ts";
import { rehearse } from "./rehearse.ts";
import { table, timelineSvg, type Rehearsal } from "./timeline.ts";

const losses: Loss[] = ["machines", "all", "state"];

interface RehearseFlags {
  case?: string[] | undefined;
  svg?: string | undefined;
  wipe?: boolean | undefined;
  destroy?: string | undefined;
}

/** Rehearses disasters. It fails if anything did not come back unchanged. */
export const rehearseCommand = async (call: Call<RehearseFlags>): Promise<number> => {
  const { root, stack, values, identities, display, print, complain } = call;
  const cases = (values.case ?? losses).map(lossNamed);
  const target = await call.open();
  await confirm(target, values.destroy, call);
  const hasVolumes = !target.isLab || (await keepsVolumes(labFolder(root, stack)));
  const rehearsals: Rehearsal[] = [];
  for (const loss of cases) {
    print(`\nRehearsing ${loss}`);
    const credentials = await credentialsFor(target, identities, true, display);
    const { signal } = new AbortController();
    const disaster = target.isLab && values.wipe !== true ? fire : wipe(target.engine);
    rehearsals.push(
      await rehearse({ target, stack: target.engine, credentials, identities, disaster, hasVolumes, signal }, loss),
    );
  }
  const file = resolve(root, values.svg ?? join(".hearth", `rehearsal-${stack}.svg`));
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, timelineSvg(rehearsals));
  print(`\n${table(rehearsals)}\n\nThe timeline is in ${file}`);
  print(notRehearsed(target, hasVolumes));
  const wrong = rehearsals.flatMap(({ case: name, checks }) =>
    checks.filter(({ isSame }) => !isSame).map(({ what }) => `${name}: ${what} is not what it was`),
  );
  for (const each of wrong) complain(each);
  call.answer(rehearsals);
  return wrong.length === 0 ? 0 : 1;
};

const lossNamed = (name: string): Loss => {
  const found = losses.find((loss) => loss === name);
  if (found === undefined) throw new Problem(`There is no case ${name}: it is one of ${losses.join(", ")}`);
  return found;
};

/** A rehearsal destroys the stack. Outside the lab, the user confirms it by typing the stack's name. */
const confirm = async (target: Target, typed: string | undefined, { ask }: Call): Promise<void> => {
  if (target.isLab) return;
  const question = `This destroys the cluster of ${target.stack} with everything in it, and rebuilds it. Type the stack's name: `;
  const answer = typed ?? (await ask?.(question));
  if (answer?.trim() !== target.stack) {
    throw new Problem(`Nothing was done: to rehearse on real machines, say --destroy ${target.stack}`);
  }
};

/** Parts that a rehearsal does not cover. */
const notRehearsed = ({ isLab, stack }: Target, hasVolumes: boolean): string => {
  if (!isLab) return "Not compared: rows of Postgres. Look at them by hand";
  const volumes = hasVolumes
    ? ""
    : `files of volumes (\`npm run lab -- reset ${stack}\`, then \`up ${stack} --volumes\`, has them), and `;
  return `Not rehearsed here: ${volumes}rows of Postgres, whose operator does not run in the lab`;
};
