import { readFileSync } from "node:fs";
import { join } from "node:path";

import { execa } from "execa";

import { explain } from "../toolchain/problem.ts";
import { Toolchain } from "../toolchain/toolchain.ts";
import { contentKey } from "./content.ts";
import { Kept } from "./kept.ts";

interface Check {
  /** What the shell runs. */
  command: string;
  /** What a person types to run it alone. */
  alone: string;
  /** Patterns of files that decide whether it passes; none means all. Undefined where it keeps by itself what passed. */
  reads?: readonly string[];
}

interface Outcome extends Check {
  name: string;
  seconds: number;
  passed: boolean;
}

const root = join(import.meta.dirname, "..");
const textOf = (file: string): string => readFileSync(join(root, file), "utf8");
const { scripts } = JSON.parse(textOf("package.json")) as { scripts: Record<string, string> };

/** A script of package.json as npm runs it, without the time that npm itself takes. */
const script = (name: string): Check => ({ command: scripts[name] ?? "", alone: `npm run --silent ${name}` });

const code = ["*.ts", "*.mts", "*.cts", "*.js", "*.mjs", "*.cjs", "*.json"];

/** The checks that read the code. */
const readers: Record<string, Check> = {
  types: { ...script("typecheck"), reads: code },
  format: { ...script("format:check"), reads: [] },
  workflows: { command: "node bin/hearth.mjs workflows", alone: "npx hearth workflows", reads: [] },
  layers: { ...script("layers"), reads: code },
  go: script("go"),
  lint: script("lint"),
};

/** Programs that the tests need. Building them first keeps tests from timing out. */
const programs = ["hearth-tree", "hearth-promql", "actionlint", "sops", "staticcheck"];

const secondsSince = (moment: number): number => Math.round((Date.now() - moment) / 1000);

const run = async (name: string, check: Check, { shown }: { shown: boolean }): Promise<Outcome> => {
  const started = Date.now();
  const output = shown ? ({ stdio: ["ignore", "inherit", "inherit"] } as const) : { all: true as const };
  // HEARTH_TEST_COUNTS belongs to the tests, so other checks do not write to it.
  const env = shown ? {} : { HEARTH_TEST_COUNTS: undefined };
  const { failed, all } = await execa(check.command, {
    cwd: root,
    shell: true,
    preferLocal: true,
    localDir: root,
    reject: false,
    env,
    ...output,
  });
  if (failed && !shown) console.error(`\n${String(all)}\n`);
  return { ...check, name, seconds: secondsSince(started), passed: !failed };
};

/** Runs the checks one after the other. They use one processor, and the tests use another. Those that passed what is there now are skipped. */
const read = async (): Promise<Outcome[]> => {
  const kept = new Kept({
    store: join(root, "node_modules/.cache/checks.json"),
    key: (patterns) => contentKey(root, patterns, [process.version, textOf("node_modules/.package-lock.json")]),
  });
  const outcomes = [];
  for (const [name, { reads, ...check }] of Object.entries(readers)) {
    const started = Date.now();
    const work = () => run(name, check, { shown: false });
    const outcome = reads === undefined ? await work() : await kept.unlessPassed(name, reads, work);
    outcomes.push({ ...outcome, seconds: secondsSince(started) });
  }
  return outcomes;
};

const main = async (): Promise<void> => {
  const started = Date.now();
  await new Toolchain({ root }).ensure(programs);
  const [readings, tests] = await Promise.all([read(), run("tests", script("test:unit"), { shown: true })]);
  const outcomes = [...readings, tests];
  console.log(`${secondsSince(started)} s: ${outcomes.map(({ name, seconds }) => `${name} ${seconds} s`).join(", ")}`);
  for (const { name, alone, passed } of outcomes) {
    if (!passed) console.error(`${name} failed: run it alone with ${alone}`);
  }
  process.exitCode = outcomes.every(({ passed }) => passed) ? 0 : 1;
};

main().catch((error: unknown) => {
  console.error(explain(error));
  process.exitCode = 1;
});
