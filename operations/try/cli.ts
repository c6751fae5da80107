import { mkdir, writeFile } from "node:fs/promises";
import { basename, dirname, join, relative, resolve } from "node:path";

import type { Call } from "../../lib/terminal/command.ts";
import { duration } from "../../lib/terminal/display.ts";
import { interruption } from "../../lib/terminal/interruption.ts";
import { withLock } from "../../toolchain/lock.ts";
import { Problem } from "../../toolchain/problem.ts";
import { Clone } from "./clone.ts";
import { removeLab } from "./leftover.ts";
import { outcomeOf, reportOf, type Outcome, type Trial as Report } from "./report.ts";
import { timelineOf } from "./timeline.ts";
import { Trial, type Measurement } from "./trial.ts";

/** Exit code of each outcome. */
export const exitCodes: Record<Outcome, number> = { held: 0, refused: 1, broken: 2 };

interface TryFlags {
  base?: string | undefined;
  out?: string | undefined;
  back?: boolean | undefined;
  keep?: boolean | undefined;
}

/** Deploys the checkout's change to a lab of its own, and reports what was out of service meanwhile. */
export const tryCommand = async (call: Call<TryFlags>): Promise<number> => {
  const { root, stack } = call;
  const folder = join(root, ".hearth", "try", stack);
  return withLock(`${folder}.lock`, () => tryIn(call, folder), {
    onWait: (pid) => {
      throw new Problem(`Process ${pid.toString()} tries a change of ${stack} in this checkout: wait for it`);
    },
  });
};

const tryIn = async (call: Call<TryFlags>, folder: string): Promise<number> => {
  const { root, stack, values, display } = call;
  const signal = interruption(`The trial of ${stack} was interrupted, and its lab is removed: run it again`);
  // A trial that was killed may have left its lab.
  await removeLab(root, folder, stack);
  const log = join(root, ".hearth", `try-${stack}.log`);
  await writeFile(log, "");
  const clone = await Clone.create(root, folder, stack);
  const trial = new Trial({ stack, clone, display, signal, log });
  try {
    const base = await clone.base(values.base === undefined ? ["origin/main", "main"] : [values.base]);
    const present = await clone.present();
    const changed = await clone.changed(base, present.commit);
    if (changed.length === 0) {
      throw new Problem(`The checkout has no change since ${base.slice(0, 10)}, so that there is nothing to try`);
    }
    await trial.bringUp(base);
    const parts = [await trial.deploy("The change", present.commit)];
    if (parts[0]?.part.refusal === undefined && values.back !== false) parts.push(await trial.deploy("Back", base));
    return await report(call, parts, {
      base: `\`${base.slice(0, 10)}\``,
      head: `\`${present.commit.slice(0, 10)}\`${present.isCommitted ? "" : ", with changes that are not committed,"}`,
    });
  } finally {
    trial.end();
    display.clear();
    if (values.keep === true)
      display.line(`The lab is kept in ${relative(root, folder)}: npm run lab -- reset ${stack} there removes it`);
    else await removeLab(root, folder, stack);
  }
};

/** Writes what was measured, and says it. */
const report = async (
  { root, stack, values, display, print, answer }: Call<TryFlags>,
  measurements: readonly Measurement[],
  { base, head }: { base: string; head: string },
): Promise<number> => {
  const parts = measurements.map(({ part }) => part);
  const trial: Report = { stack, base, head, parts, notes: notesOf(parts) };
  const file = resolve(root, values.out ?? join(".hearth", `try-${stack}.md`));
  const picture = file.replace(/(\.md)?$/, ".svg");
  const text = reportOf(trial, basename(picture));
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, text);
  await writeFile(picture, timelineOf(measurements.map(({ drawn }) => drawn)));
  print(text);
  display.line(`${relative(root, file)} and ${relative(root, picture)} written after ${duration(display.seconds)}`);
  const outcome = outcomeOf(trial);
  answer({
    ...{ stack, outcome, report: relative(root, file), timeline: relative(root, picture) },
    parts: parts.map(({ title, refusal, verdicts, steps }) => ({ title, refusal, verdicts, steps })),
  });
  return exitCodes[outcome];
};

const notesOf = ([change, back]: Report["parts"]): string[] => [
  ...(change?.refusal !== undefined
    ? ["The lab did not go back to the base, for the change was not carried out."]
    : []),
  ...(back?.refusal !== undefined
    ? [
        "**There is no way back by a deployment of the base.** What to do about that has to be known before this is merged.",
      ]
    : []),
];
