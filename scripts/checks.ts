import { join } from "node:path";

import { execa } from "execa";

import { explain } from "../toolchain/problem.ts";
import { Toolchain } from "../toolchain/toolchain.ts";

interface Outcome {
  name: string;
  command: string[];
  seconds: number;
  passed: boolean;
}

const npm = (script: string): string[] => ["npm", "run", "--silent", script];

/** The checks that read the code, with the command that runs each alone. */
const readers = {
  types: npm("typecheck"),
  format: npm("format:check"),
  workflows: ["npx", "hearth", "workflows"],
  layers: npm("layers"),
  go: npm("go"),
  lint: npm("lint"),
};

/** Programs that the tests need. Building them first keeps tests from timing out. */
const programs = ["hearth-tree", "hearth-promql", "actionlint", "sops", "staticcheck"];

const secondsSince = (moment: number): number => Math.round((Date.now() - moment) / 1000);

const run = async (name: string, command: string[], { shown }: { shown: boolean }): Promise<Outcome> => {
  const started = Date.now();
  const [program = "", ...args] = command;
  const output = shown ? ({ stdio: ["ignore", "inherit", "inherit"] } as const) : { all: true as const };
  // HEARTH_TEST_COUNTS belongs to the tests, so other checks do not write to it.
  const env = shown ? {} : { HEARTH_TEST_COUNTS: undefined };
  const { failed, all } = await execa(program, args, { reject: false, env, ...output });
  if (failed && !shown) console.error(`\n${String(all)}\n`);
  return { name, command, seconds: secondsSince(started), passed: !failed };
};

/** Runs the checks one after the other. They use one processor, and the tests use another. */
const read = async (): Promise<Outcome[]> => {
  const outcomes = [];
  for (const [name, command] of Object.entries(readers)) outcomes.push(await run(name, command, { shown: false }));
  return outcomes;
};

const main = async (): Promise<void> => {
  const started = Date.now();
  await new Toolchain({ root: join(import.meta.dirname, "..") }).ensure(programs);
  const [readings, tests] = await Promise.all([read(), run("tests", npm("test:unit"), { shown: true })]);
  const outcomes = [...readings, tests];
  console.log(`${secondsSince(started)} s: ${outcomes.map(({ name, seconds }) => `${name} ${seconds} s`).join(", ")}`);
  for (const { name, command, passed } of outcomes) {
    if (!passed) console.error(`${name} failed: run it alone with ${command.join(" ")}`);
  }
  process.exitCode = outcomes.every(({ passed }) => passed) ? 0 : 1;
};

main().catch((error: unknown) => {
  console.error(explain(error));
  process.exitCode = 1;
});
