// Measures a lab of dev whose programs are there: `node --import tsx bench/warm.ts [MACHINES…]`, with 3 and 30 machines unless others are
// named. From nothing to every object of Flux Ready, three times each, and again beside it.
import { readdir, readFile } from "node:fs/promises";
import { cpus } from "node:os";
import { join } from "node:path";

import { execa } from "execa";

import { inClone, median } from "./measure.ts";

const folder = join(import.meta.dirname, "..", ".hearth", "bench-warm");
const stack = "dev";
const runs = 3;
const pageSize = 4096;

/** Memory of all processes whose command line names the folder, in MiB. Pages that they share are counted for each. */
const memory = async (): Promise<number> => {
  const ids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name));
  const all = await Promise.all(
    ids.map(async (id) => {
      const read = (name: string): Promise<string> => readFile(join("/proc", id, name), "utf8").catch(() => "");
      return (await read("cmdline")).includes(folder) ? Number((await read("statm")).split(" ")[1]) : 0;
    }),
  );
  return (all.reduce((sum, pages) => sum + pages, 0) * pageSize) / 2 ** 20;
};

const timed = async (): Promise<number> => {
  const started = performance.now();
  await execa("npm", ["run", "--silent", "lab"], { cwd: folder });
  return (performance.now() - started) / 1000;
};

const measure = async (count: number): Promise<string> => {
  const found: { nothing: number; again: number; memory: number }[] = [];
  for (let run = 0; run < runs; run += 1) {
    await inClone({ folder, stack, machines: count }, async () => {
      const [nothing, again] = [await timed(), await timed()];
      const used = await memory();
      found.push({ nothing, again, memory: used });
      const [first, second] = [`${nothing.toFixed(1)} s from nothing`, `${again.toFixed(1)} s again`];
      console.log(`${String(count)} machines: ${first}, ${second}, ${String(Math.round(used))} MiB`);
    });
  }
  const [nothing, again] = [median(found.map((each) => each.nothing)), median(found.map((each) => each.again))];
  const most = Math.max(...found.map((each) => each.memory));
  return `| ${String(count)} | ${nothing.toFixed(1)} s | ${again.toFixed(1)} s | ${String(Math.round(most))} MiB |`;
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
