// Checks and tests Hearth's Go code: gofmt, go vet, staticcheck, go test. The result is cached by content, so an unchanged tree
// costs nothing.
import { execa } from "execa";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";

import { ToolCache } from "../toolchain/cache.ts";
import { buildEnvironment, findGo } from "../toolchain/go.ts";
import { explain, Problem } from "../toolchain/problem.ts";
import { Toolchain } from "../toolchain/toolchain.ts";
import { contentKey } from "./content.ts";
import { addCounts, type Counts, testCounts } from "./go-counts.ts";

const root = join(import.meta.dirname, "..");
const kept = join(root, "node_modules/.cache/go.json");

const folders = ["lab", "toolchain"];

/** All of Hearth's packages but the Talos plugin's, which needs toolchain/patches.ts. Its build checks it. */
const packages = [
  "./lab/...",
  "./toolchain/tree/...",
  "./toolchain/rclone/...",
  "./toolchain/pulumi-resource-proxmoxve/...",
];

interface Outcome {
  key: string;
  counts: Counts;
}

/** All that the result depends on but the Go release: every Go file, the pinned versions, and this script. */
const inputs = [
  "*.go",
  "go.mod",
  "go.sum",
  "toolchain/staticcheck",
  "*/staticcheck.conf",
  "lab/**/testdata/**",
  "scripts/go*.ts",
];

const environment = buildEnvironment(new ToolCache().go);

/** Runs a checker that prints nothing on success. */
const check = async (name: string, program: string, args: string[]): Promise<void> => {
  const started = Date.now();
  const { failed, all } = await execa(program, args, { cwd: root, env: environment, all: true, reject: false });
  if (failed || (name === "gofmt" && all !== "")) throw new Problem(`${name} found:\n${all}`);
  console.log(`${name}: ${Math.round((Date.now() - started) / 1000).toString()} s`);
};

const test = async (): Promise<Counts> => {
  const { stdout, stderr } = await execa("go", ["test", "-json", ...packages], {
    cwd: root,
    env: environment,
    reject: false,
  });
  const counts = testCounts(stdout);
  if (counts.failed > 0 || counts.passed === 0) throw new Problem(`go test failed:\n${counts.output}${stderr}`);
  return counts;
};

const main = async (): Promise<void> => {
  const key = await contentKey(root, inputs, [(await findGo()).version]);
  const before = JSON.parse(await readFile(kept, "utf8").catch(() => "{}")) as Partial<Outcome>;
  let counts = before.key === key ? before.counts : undefined;
  if (counts === undefined) {
    const { staticcheck = "" } = await new Toolchain({ root }).ensure(["staticcheck"]);
    await check("gofmt", "gofmt", ["-l", ...folders]);
    await check("go vet", "go", ["vet", ...packages]);
    await check("staticcheck", staticcheck, packages);
    counts = await test();
    await mkdir(dirname(kept), { recursive: true });
    await writeFile(kept, JSON.stringify({ key, counts } satisfies Outcome));
  }
  console.log(`go test: ${counts.passed.toString()} passed, ${counts.failed.toString()} failed`);
  await addCounts(process.env.HEARTH_TEST_COUNTS, counts);
};

main().catch((error: unknown) => {
  console.error(explain(error));
  process.exitCode = 1;
});
