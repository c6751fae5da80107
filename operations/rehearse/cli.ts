import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";

import { Display } from "../../lib/terminal/display.ts";
import { labFolder } from "../../lib/engine/lab-folder.ts";
import { keepsVolumes } from "../../lab/volumes.ts";
import { readArguments } from "../../toolchain/arguments.ts";
import { Problem } from "../../toolchain/problem.ts";
import { meansFor } from "../escrow/cli.ts";
import type { Session } from "../../lib/terminal/session.ts";
import { Target } from "../../lib/engine/target.ts";
import { fire, wipe, type Loss } from "./disaster.ts";
import { rehearse } from "./rehearse.ts";
import { table, timelineSvg, type Rehearsal } from "./timeline.ts";

const losses: Loss[] = ["machines", "all", "state"];

const usage = `Usage: npm run rehearse -- STACK [--case CASE…] [FLAG…]

Rehearses a disaster: plants objects, backs up, destroys, rebuilds, and compares what came back with what was. It ends with the
time of each case, and draws it.

  --case CASE      ${losses.join(", ")}; all of them unless named
  --svg FILE       where the timeline is drawn (.hearth/rehearsal-STACK.svg)
  --wipe           wipe machines through the Talos API instead of burning them, as it is done where they are real
  --identity FILE  file with an age identity that opens the escrow, beside those that SOPS finds
  --destroy STACK  the stack's name once more, where it is not the lab's: everything that its cluster holds is destroyed
  --lab            the lab's stack (or evaluate what \`npm run lab -- env\` prints)`;

const options = {
  case: { type: "string", multiple: true },
  svg: { type: "string" },
  wipe: { type: "boolean" },
  identity: { type: "string", multiple: true },
  destroy: { type: "string" },
  lab: { type: "boolean" },
} as const;

/**
 * Rehearses disasters.
 *
 * @returns its exit code: 1 where anything did not come back as it was
 */
export const cli = async (args: string[], session: Session): Promise<number> => {
  const { values, positionals } = readArguments(args, options, usage);
  const [stack, ...more] = positionals;
  if (values.help === true) {
    session.print(usage);
    return 0;
  }
  if (stack === undefined || more.length > 0) throw new Problem(usage);
  const cases = (values.case ?? losses).map(lossNamed);
  const target = await Target.open(session.root, stack, { lab: values.lab ?? false });
  await confirm(target, values.destroy, session);
  const hasVolumes = !target.isLab || (await keepsVolumes(labFolder(session.root, stack)));
  const rehearsals: Rehearsal[] = [];
  for (const loss of cases) {
    session.print(`\nRehearsing ${loss}`);
    const means = await meansFor(target, values.identity ?? [], true, new Display());
    const { signal } = new AbortController();
    const disaster = target.isLab && values.wipe !== true ? fire : wipe(target.engine);
    rehearsals.push(await rehearse({ target, stack: target.engine, means, disaster, hasVolumes, signal }, loss));
  }
  const file = resolve(session.root, values.svg ?? join(".hearth", `rehearsal-${stack}.svg`));
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, timelineSvg(rehearsals));
  session.print(`\n${table(rehearsals)}\n\nThe timeline is in ${file}`);
  session.print(notRehearsed(target, hasVolumes));
  const wrong = rehearsals.flatMap(({ case: name, checks }) =>
    checks.filter(({ isSame }) => !isSame).map(({ what }) => `${name}: ${what} is not what it was`),
  );
  for (const each of wrong) session.complain(each);
  return wrong.length === 0 ? 0 : 1;
};

const lossNamed = (name: string): Loss => {
  const found = losses.find((loss) => loss === name);
  if (found === undefined) throw new Problem(`There is no case ${name}: it is one of ${losses.join(", ")}`);
  return found;
};

/** A rehearsal destroys: outside of the lab a person types the stack's name for it. */
const confirm = async (target: Target, typed: string | undefined, { ask }: Session): Promise<void> => {
  if (target.isLab) return;
  const question = `This destroys the cluster of ${target.stack} with everything in it, and rebuilds it. Type the stack's name: `;
  const answer = typed ?? (await ask?.(question));
  if (answer?.trim() !== target.stack) {
    throw new Problem(`Nothing was done: to rehearse on real machines, say --destroy ${target.stack}`);
  }
};

/** What nobody should believe to have been rehearsed. */
const notRehearsed = ({ isLab, stack }: Target, hasVolumes: boolean): string => {
  if (!isLab) return "Not compared: rows of Postgres. Look at them by hand";
  const volumes = hasVolumes
    ? ""
    : `files of volumes (\`npm run lab -- reset ${stack}\`, then \`up ${stack} --volumes\`, has them), and `;
  return `Not rehearsed here: ${volumes}rows of Postgres, whose operator does not run in the lab`;
};
