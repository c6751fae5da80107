// Checks and tests Hearth's Go code: gofmt, go vet, staticcheck, go test. The result is cached by content, so an unchanged tree
// costs nothing.
import { execa } from "execa";
import { join } from "node:path";

import { ToolCache } from "../toolchain/cache.ts";
import { buildEnvironment, findGo } from "../toolchain/go.ts";
import { explain, Problem } from "../toolchain/problem.ts";
import { Toolchain } from "../toolchain/toolchain.ts";
import { contentKey } from "./content.ts";
import { addCounts, type Counts, testCounts } from "./go-counts.ts";
import { Kept } from "./kept.ts";

const root = join(import.meta.dirname, "..");

const folders = ["lab", "toolchain"];

/** All of Hearth's packages but the Talos plugin's, which needs toolchain/patches.ts. Its build checks it. */
const packages = [
  "./lab/...",
  "./toolchain/tree/...",
  "./toolchain/rclone/...",
  "./toolchain/pulumi-resource-proxmoxve/...",
];

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

const checkAll = async (): Promise<{ passed: true; counts: Counts }> => {
  const { staticcheck = "" } = await new Toolchain({ root }).ensure(["staticcheck"]);
  await check("gofmt", "gofmt", ["-l", ...folders]);
  await check("go vet", "go", ["vet", ...packages]);
  await check("staticcheck", staticcheck, packages);
  return { passed: true, counts: await test() };
};

const main = async (): Promise<void> => {
  const { version } = await findGo();
  const kept = new Kept({
    store: join(root, "node_modules/.cache/go.json"),
    key: (patterns) => contentKey(root, patterns, [version]),
  });
  const { counts } = await kept.unlessPassed("go", inputs, checkAll);
  console.log(`go test: ${counts.passed.toString()} passed, ${counts.failed.toString()} failed`);
  await addCounts(process.env.HEARTH_TEST_COUNTS, counts);
};

main().catch((error: unknown) => {
  console.error(explain(error));
  process.exitCode = 1;
});
