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

/** What reads the code, each as it is run alone. */
const readers = {
  types: npm("typecheck"),
  format: npm("format:check"),
  workflows: ["npx", "hearth", "workflows"],
  layers: npm("layers"),
  go: npm("go"),
  lint: npm("lint"),
};

/** Programs that the tests need, built before a test's time runs. */
const programs = ["hearth-tree", "actionlint", "sops", "staticcheck"];

const secondsSince = (moment: number): number => Math.round((Date.now() - moment) / 1000);

const run = async (name: string, command: string[], { shown }: { shown: boolean }): Promise<Outcome> => {
  const started = Date.now();
  const [program = "", ...args] = command;
  const output = shown ? ({ stdio: ["ignore", "inherit", "inherit"] } as const) : { all: true as const };
  // Who counts the tests of Go asks for them alone.
  const env = shown ? {} : { HEARTH_TEST_COUNTS: undefined };
  const { failed, all } = await execa(program, args, { reject: false, env, ...output });
  if (failed && !shown) console.error(`\n${String(all)}\n`);
  return { name, command, seconds: secondsSince(started), passed: !failed };
};

/** Reads the code with one check after the other: they have a processor, and the tests have another. */
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
    if (!passed) console.error(`${name} failed: ${command.join(" ")} shows it alone`);
  }
  process.exitCode = outcomes.every(({ passed }) => passed) ? 0 : 1;
};

main().catch((error: unknown) => {
  console.error(explain(error));
  process.exitCode = 1;
});
