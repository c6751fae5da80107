// Measures a lab of dev whose programs are there: `node --import tsx bench/warm.ts [MACHINES…]`, with 3 and 30 machines unless others are
// named. From nothing to every object of Flux Ready, three times each, and again beside it.
import { readdir, readFile } from "node:fs/promises";
import { cpus } from "node:os";
import { join } from "node:path";

import { execa } from "execa";

import { stackFile } from "../infra/config/error.ts";
import { Clone } from "../operations/try/clone.ts";
import { removeLab } from "../operations/try/leftover.ts";
import { machinesIn, withMachines } from "./machines.ts";

const root = join(import.meta.dirname, "..");
const stack = "dev";
const runs = 3;
const pageSize = 4096;

/** Memory of all processes whose command line names a folder, in MiB. Pages that they share are counted for each. */
const memoryOf = async (folder: string): Promise<number> => {
  const ids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name));
  const all = await Promise.all(
    ids.map(async (id) => {
      const read = (name: string): Promise<string> => readFile(join("/proc", id, name), "utf8").catch(() => "");
      return (await read("cmdline")).includes(folder) ? Number((await read("statm")).split(" ")[1]) : 0;
    }),
  );
  return (all.reduce((sum, pages) => sum + pages, 0) * pageSize) / 2 ** 20;
};

const timed = async (folder: string): Promise<number> => {
  const started = performance.now();
  await execa("npm", ["run", "--silent", "lab"], { cwd: folder });
  return (performance.now() - started) / 1000;
};

const median = (all: readonly number[]): number => [...all].sort((a, b) => a - b)[Math.floor(all.length / 2)] ?? 0;

const measure = async (count: number): Promise<string> => {
  const folder = join(root, ".hearth", "bench-warm");
  const found: { nothing: number; again: number; memory: number }[] = [];
  for (let run = 0; run < runs; run += 1) {
    await removeLab(root, folder, stack);
    const clone = await Clone.create(root, folder, stack);
    try {
      const { commit } = await clone.present();
      const isAsked = machinesIn(await readFile(join(root, stackFile(stack)), "utf8")) === count;
      const edit = (text: string): string => withMachines(text, count);
      await clone.take(isAsked ? commit : await clone.edited(commit, "Add machines", edit));
      const [nothing, again] = [await timed(folder), await timed(folder)];
      const memory = await memoryOf(folder);
      found.push({ nothing, again, memory });
      const [first, second] = [`${nothing.toFixed(1)} s from nothing`, `${again.toFixed(1)} s again`];
      console.log(`${String(count)} machines: ${first}, ${second}, ${String(Math.round(memory))} MiB`);
    } finally {
      await removeLab(root, folder, stack);
    }
  }
  const [nothing, again] = [median(found.map((each) => each.nothing)), median(found.map((each) => each.again))];
  const memory = Math.max(...found.map((each) => each.memory));
  return `| ${String(count)} | ${nothing.toFixed(1)} s | ${again.toFixed(1)} s | ${String(Math.round(memory))} MiB |`;
};

const counts = process.argv.slice(2).map(Number);
const rows: string[] = [];
for (const count of counts.length > 0 ? counts : [3, 30]) rows.push(await measure(count));
console.log(
  [
    `${String(cpus().length)} processors (${cpus()[0]?.model ?? ""}), medians of ${String(runs)}:`,
    "",
    "| machines | from nothing | once more | memory then |",
    "| --- | --- | --- | --- |",
    ...rows,
  ].join("\n"),
);
