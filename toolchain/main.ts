import { stat } from "node:fs/promises";
import { join } from "node:path";
import { explain, Problem } from "./problem.ts";
import { Toolchain } from "./toolchain.ts";
import { tools } from "./tools.ts";
import { updateDigests } from "./vendors/digests.ts";

const usage = `Usage: npm run tools -- list | all | prune | NAME… | digests

  list     where each tool is found, and how large it is
  all      download or build whatever is missing
  prune    give back what building took: Go's caches, and tools that this checkout does not use
  NAME…    download or build the tools named where they are missing, and print their paths
  digests  ask the vendors for the digests that toolchain/vendors/digests.json lacks, for maintainers`;

const root = join(import.meta.dirname, "..");
const names = tools.map(({ name }) => name);

const list = async (): Promise<void> => {
  const toolchain = new Toolchain({ root });
  const rows = [["tool", "version", "found in", "MiB", "path"]];
  for (const [name, located] of await toolchain.locate(names)) {
    const version = located?.version ?? (await toolchain.pinnedVersion(name));
    const size = located === undefined ? "" : Math.round((await stat(located.path)).size / 2 ** 20).toString();
    rows.push([name, version === "" ? "-" : version, located?.source ?? "nowhere yet", size, located?.path ?? ""]);
  }
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0))) ?? [];
  for (const row of rows)
    console.log(
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join("  ")
        .trimEnd(),
    );
};

const digests = (): Promise<void> => {
  const toolchain = new Toolchain({ root });
  return updateDigests((name) => toolchain.releasedVersion(name), console.log);
};

const main = async (args: string[]): Promise<void> => {
  if (args.length === 0 || args[0]?.startsWith("-") === true) throw new Problem(usage);
  if (args[0] === "list") return list();
  if (args[0] === "digests") return digests();
  if (args[0] === "prune") {
    const freed = await new Toolchain({ root }).prune();
    console.log(
      `Freed ${(freed / 2 ** 30).toFixed(1)} GiB; the next build of a tool compiles everything that it needs anew`,
    );
    return;
  }
  const paths = await new Toolchain({ root }).ensure(args[0] === "all" ? names : args);
  for (const path of Object.values(paths)) console.log(path);
};

main(process.argv.slice(2)).catch((error: unknown) => {
  console.error(explain(error));
  process.exit(1);
});
