// Lints the files that changed since they passed, and those that import what changed.
import { existsSync } from "node:fs";
import { join, relative } from "node:path";

import { execa } from "execa";

import { Passed } from "./passed.ts";

const root = join(import.meta.dirname, "..");

const lint = async (files: string[]): Promise<string[]> => {
  const { ESLint } = await import("eslint");
  const eslint = new ESLint({ cwd: root, warnIgnored: false });
  const results = await eslint.lintFiles(files);
  const formatter = await eslint.loadFormatter("stylish");
  process.stdout.write(await formatter.format(results));
  if (results.some(({ errorCount }) => errorCount > 0)) process.exitCode = 1;
  const isGood = new Map(results.map((each) => [relative(root, each.filePath), each.messages.length === 0]));
  // Files that are ignored have no result.
  return files.filter((file) => isGood.get(file) !== false);
};

const main = async (): Promise<void> => {
  const patterns = ["*.ts", "*.js", "*.mjs", "*.cjs"];
  const { stdout } = await execa("git", ["ls-files", "-co", "--exclude-standard", ...patterns], { cwd: root });
  const files = [...new Set(stdout.split("\n"))].filter((file) => existsSync(join(root, file)));
  const settings = ["eslint.config.js", "tsconfig.json", "package.json"];
  const installed = ["package-lock.json", "node_modules/.package-lock.json"];
  const passed = new Passed({
    root,
    store: join(root, "node_modules/.cache/lint.json"),
    common: [...settings, ...installed, "scripts/lint.ts", "scripts/passed.ts"],
  });
  await passed.check(files.sort(), lint);
};

await main();
