import { join } from "node:path";

import { execa } from "execa";

import { explain } from "../toolchain/problem.ts";
import { Toolchain } from "../toolchain/toolchain.ts";

interface Outcome {
  name: string;
  script: string;
  seconds: number;
  passed: boolean;
}

/** What reads the code, by the script that does it alone. */
const readers = {
  types: "typecheck",
  format: "format:check",
  workflows: "workflows",
  layers: "layers",
  go: "go",
  lint: "lint",
};

/** Programs that the tests need, built before a test's time runs. */
const programs = ["hearth-tree", "actionlint", "sops", "staticcheck"];

const secondsSince = (moment: number): number => Math.round((Date.now() - moment) / 1000);

const run = async (name: string, script: string, { shown }: { shown: boolean }): Promise<Outcome> => {
  const started = Date.now();
  const output = shown ? ({ stdio: ["ignore", "inherit", "inherit"] } as const) : { all: true as const };
  // Who counts the tests of Go asks for them alone.
  const env = shown ? {} : { HEARTH_TEST_COUNTS: undefined };
  const { failed, all } = await execa("npm", ["run", "--silent", script], { reject: false, env, ...output });
  if (failed && !shown) console.error(`\n${String(all)}\n`);
  return { name, script, seconds: secondsSince(started), passed: !failed };
};

/** Reads the code with one check after the other: they have a processor, and the tests have another. */
const read = async (): Promise<Outcome[]> => {
  const outcomes = [];
  for (const [name, script] of Object.entries(readers)) outcomes.push(await run(name, script, { shown: false }));
  return outcomes;
};

const main = async (): Promise<void> => {
  const started = Date.now();
  await new Toolchain({ root: join(import.meta.dirname, "..") }).ensure(programs);
  const [readings, tests] = await Promise.all([read(), run("tests", "test:unit", { shown: true })]);
  const outcomes = [...readings, tests];
  console.log(`${secondsSince(started)} s: ${outcomes.map(({ name, seconds }) => `${name} ${seconds} s`).join(", ")}`);
  for (const { name, script, passed } of outcomes) {
    if (!passed) console.error(`${name} failed: npm run ${script} shows it alone`);
  }
  process.exitCode = outcomes.every(({ passed }) => passed) ? 0 : 1;
};

main().catch((error: unknown) => {
  console.error(explain(error));
  process.exitCode = 1;
});
