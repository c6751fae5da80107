import { execa } from "execa";
import { createWriteStream } from "node:fs";
import { chmod, cp, mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { finished } from "node:stream/promises";
import { compilerEnvironment, goEnvironment } from "./go.ts";
import { requiredVersion } from "./gomod.ts";
import { moduleFolder } from "./modules.ts";
import { Problem } from "./problem.ts";
import type { Tool } from "./tools.ts";

/** How many of a failed build's last lines its message shows. */
const shownLines = 8;

/** The arguments of `go` that build a tool into `../bin`, beside its sources. */
export const buildArguments = (tool: Tool, goMod: string): string[] => {
  const version = tool.versionOf === undefined ? "" : requiredVersion(goMod, tool.versionOf);
  const linker = ["-s", "-w", ...(tool.linker?.(version) ?? [])].join(" ");
  return ["build", "-v", "-ldflags", linker, "-o", join("..", "bin", tool.name), tool.package];
};

export interface BuildOptions {
  /** The files of the tool's module by path. */
  files: Record<string, Uint8Array>;
  /** An empty folder with an empty `bin` in it, for the sources and the result. */
  work: string;
  /** Where the output of the build goes. */
  log: string;
  /** Called with the number of packages compiled so far. */
  onPackage?: (count: number) => void;
}

/** Builds a tool from the files of its module into `<work>/bin`. */
export const build = async (tool: Tool, { files, work, log, onPackage }: BuildOptions): Promise<void> => {
  const source = join(work, "source");
  for (const [path, content] of Object.entries(files)) {
    await mkdir(dirname(join(source, path)), { recursive: true });
    await writeFile(join(source, path), content);
  }
  const goMod = await readFile(join(source, "go.mod"), "utf8");
  const output = createWriteStream(log);
  try {
    const go = goRunner(source, output, onPackage);
    if (tool.patched !== undefined) await patch(tool.patched, source, join(work, "patched"), go);
    if (tool.generates !== undefined && tool.generates.length > 0) await go("generate", ".");
    await go(...buildArguments(tool, goMod));
  } catch (error) {
    output.end();
    await finished(output);
    throw new Problem(failure(tool, log, await readFile(log, "utf8")), { cause: error });
  } finally {
    output.end();
  }
};

/** What to say of a failed build: the tool, where its log is, and how the log ends. */
export const failure = (tool: Tool, log: string, output: string): string => {
  if (output.includes("no space left on device")) {
    return `No space was left while building ${tool.name} (log: ${log}): free some, then run this again`;
  }
  const lines = output.trim().split("\n").slice(-shownLines);
  return [`Building ${tool.name} failed; its log, ${log}, ends with:`, ...lines.map((line) => `  ${line}`)].join("\n");
};

type RunGo = (...args: string[]) => Promise<void>;

const goRunner =
  (cwd: string, output: NodeJS.WritableStream, onPackage?: (count: number) => void): RunGo =>
  async (...args) => {
    output.write(`$ go ${args.join(" ")}\n`);
    const env = { ...compilerEnvironment, ...goEnvironment };
    const child = execa("go", args, { cwd, env, all: true, buffer: false, stdin: "ignore" });
    let count = 0;
    for await (const line of createInterface({ input: child.all })) {
      output.write(`${line}\n`);
      if (!line.includes(" ")) onPackage?.(++count);
    }
    await child;
  };

/** Replaces a module by a copy of it that holds the files given as well. */
const patch = async (
  { module, files }: NonNullable<Tool["patched"]>,
  source: string,
  copy: string,
  go: RunGo,
): Promise<void> => {
  await cp(await moduleFolder(source, module), copy, { recursive: true });
  // Go keeps its module cache read-only, and a copy inherits that.
  await chmod(copy, 0o755);
  for (const entry of await readdir(copy, { recursive: true, withFileTypes: true })) {
    if (entry.isDirectory()) await chmod(join(entry.parentPath, entry.name), 0o755);
  }
  for (const [path, content] of Object.entries(files)) {
    await mkdir(dirname(join(copy, path)), { recursive: true });
    await writeFile(join(copy, path), content);
  }
  await go("mod", "edit", `-replace=${module}=${copy}`);
};
