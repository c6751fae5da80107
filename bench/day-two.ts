// Carries out every change of a running cluster in a lab, one after the other, and reports what was out of service meanwhile:
// `node --import tsx bench/day-two.ts dev|prod [--killed] [TITLE…]`. With titles, or beginnings of them, only these changes are carried out.
// With --killed each deployment is killed at each boundary of its steps and within each step, and goes on from a fresh clone.
import { mkdir, writeFile } from "node:fs/promises";
import { cpus } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";

import { parseDocument } from "yaml";

import { Clone } from "../operations/try/clone.ts";
import { everywhere } from "../operations/try/deployment.ts";
import { figureHeadings, figuresOf } from "../operations/try/figures.ts";
import { removeLab } from "../operations/try/leftover.ts";
import { reportOf, rows, type Part } from "../operations/try/report.ts";
import { timelineOf, type Drawn } from "../operations/try/timeline.ts";
import { Trial } from "../operations/try/trial.ts";
import { Display } from "../lib/terminal/display.ts";
import { interruption } from "../lib/terminal/interruption.ts";
import { explain, Problem } from "../toolchain/problem.ts";
import { changesOf, type DayTwoChange } from "./day-two-changes.ts";

const root = join(import.meta.dirname, "..");

/** The text of a stack file with a change. */
const changed = (text: string, { change }: DayTwoChange): string => {
  const stack = parseDocument(text);
  change(stack);
  return stack.toString({ lineWidth: 0 });
};

const measure = async (stack: "dev" | "prod", isKilled: boolean, titles: readonly string[]): Promise<void> => {
  const changes = changesOf[stack].filter(
    ({ title }) => titles.length === 0 || titles.some((each) => title.startsWith(each)),
  );
  const folder = join(root, ".hearth", "day-two", stack);
  const log = join(root, ".hearth", `day-two-${stack}.log`);
  await removeLab(root, folder, stack);
  const display = new Display();
  const signal = interruption(`The measurement of ${stack} was interrupted, and its lab is removed`);
  await mkdir(join(root, ".hearth"), { recursive: true });
  await writeFile(log, "");
  const clone = await Clone.create(root, folder, stack);
  const trial = new Trial({ stack, clone, display, signal, log });
  const parts: Part[] = [];
  const drawn: Drawn[] = [];
  try {
    const { commit: base } = await clone.present();
    await trial.bringUp(base);
    let last = base;
    for (const change of changes) {
      const commit = await clone.edited(last, change.title, (text) => changed(text, change));
      const found = await trial.deploy(change.title, commit, isKilled ? everywhere() : []);
      parts.push(found.part);
      drawn.push(found.drawn);
      await report(stack, base, { parts, drawn });
      const isRefused = found.part.refusal !== undefined;
      if (isRefused !== (change.isRefused ?? false))
        throw new Problem(`${change.title}: ${found.part.refusal ?? "it is carried out, and should be refused"}`);
      if (!isRefused) last = commit;
    }
  } finally {
    trial.end();
    display.clear();
    await removeLab(root, folder, stack);
  }
};

/** Writes what was measured so far, and the table of it. */
const report = async (
  stack: string,
  base: string,
  { parts, drawn }: { parts: readonly Part[]; drawn: readonly Drawn[] },
): Promise<void> => {
  const file = join(root, ".hearth", `day-two-${stack}`);
  const head = `${parts.length} changes, one after the other,`;
  await writeFile(
    `${file}.md`,
    [
      `${stack}, ${new Date().toISOString().slice(0, 10)}, ${cpus().length} processors, ${cpus()[0]?.model ?? ""}`,
      rows(figureHeadings, parts.map(figuresOf)),
      reportOf({ stack, base: `\`${base.slice(0, 10)}\``, head, parts, notes: [] }, `day-two-${stack}.svg`),
    ].join("\n\n"),
  );
  await writeFile(`${file}.svg`, timelineOf(drawn));
};

try {
  const { values, positionals } = parseArgs({ options: { killed: { type: "boolean" } }, allowPositionals: true });
  const [stack, ...titles] = positionals;
  if (stack !== "dev" && stack !== "prod")
    throw new Problem("Name a stack: node --import tsx bench/day-two.ts dev|prod [--killed] [TITLE…]");
  await measure(stack, values.killed ?? false, titles);
} catch (error) {
  console.error(explain(error));
  process.exitCode = 1;
}
