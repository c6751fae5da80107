import { execa } from "execa";
import { createWriteStream } from "node:fs";
import { access, copyFile, mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { finished } from "node:stream/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { compilerEnvironment, type GoEnvironment } from "./go.ts";
import { requiredVersion } from "./gomod.ts";
import { moduleFolder } from "./modules.ts";
import { patchedCopy } from "./patch.ts";
import type { Patch } from "./patches.ts";
import { Problem } from "./problem.ts";
import { rootModule, type Tool } from "./tools.ts";

/** How many of the last lines of a failed build's log its message shows. */
const shownLines = 8;

/** Time between checks for linked programs, in milliseconds. */
const lookInterval = 250;

/** Returns the linker flags of a tool. */
export const linkerFlags = (tool: Tool, goMod: string): string => {
  const version = tool.versionOf === undefined ? "" : requiredVersion(goMod, tool.versionOf);
  return ["-s", "-w", ...(tool.linker?.(version) ?? [])].join(" ");
};

/** Returns the arguments of `go` that build tools of one module into a folder, in the order given. */
export const buildArguments = (tools: readonly Tool[], goMod: string, folder: string): string[] => [
  "build",
  "-v",
  // Linker flags apply to the package of a program. If several patterns match, Go uses the last one.
  ...tools.map((tool) => `-ldflags=${importPath(tool)}=${linkerFlags(tool, goMod)}`),
  "-o",
  `${folder}/`,
  ...tools.map((tool) => tool.package),
];

const importPath = ({ package: path, module }: Tool): string =>
  path.replace(/^\.\//, module === rootModule ? "hearth.dev/" : `hearth.dev/${module}/`);

/** Returns the name that `go build` gives a package's program: the last element of its path that is not a major version. */
export const programName = (path: string): string =>
  path
    .split("/")
    .filter((element) => !/^v\d+$/.test(element))
    .at(-1) ?? path;

export interface BuildOptions {
  /** Folder of the Go module, whose go.mod and go.sum pin all versions. */
  module: string;
  /** Hearth's own files that the tools are built from, by path in the module. */
  files: Record<string, Uint8Array>;
  patches: readonly Patch[];
  /** An empty folder for sources and results. */
  work: string;
  environment: GoEnvironment;
  /** File for the output of the build. */
  log: string;
  /** Called with the number of packages compiled so far. */
  onPackage?: (count: number) => void;
  /** Called for each tool as soon as it is built, with the folder that contains it and the files that belong to it. */
  onBuilt: (tool: Tool, folder: string) => Promise<void>;
}

/**
 * How many programs one `go build` builds. Until it ends, Go keeps every package that it compiles twice, in its cache and in its
 * temporary folder: all 19 programs of the lab at once take 14.8 GiB of disk.
 */
const programsAtOnce = 5;

const batches = (tools: readonly Tool[]): Tool[][] =>
  Array.from({ length: Math.ceil(tools.length / programsAtOnce) }, (_, index) =>
    tools.slice(index * programsAtOnce, (index + 1) * programsAtOnce),
  );

/** Builds tools of one Go module, a few at a time and in their order. Their common packages are compiled once. */
export const build = async (tools: readonly Tool[], options: BuildOptions): Promise<void> => {
  const { module, files, work, log } = options;
  const source = join(work, "source");
  await mkdir(source);
  for (const name of ["go.mod", "go.sum"]) await copyFile(join(module, name), join(source, name));
  for (const [path, content] of Object.entries(files)) {
    await mkdir(dirname(join(source, path)), { recursive: true });
    await writeFile(join(source, path), content);
  }
  const goMod = await readFile(join(source, "go.mod"), "utf8");
  const output = createWriteStream(log);
  try {
    const go = goRunner(source, output, options);
    for (const [index, patch] of options.patches.entries()) {
      const copy = join(work, `patched-${index.toString()}`);
      await patchedCopy(await moduleFolder(source, patch.module, options.environment), copy, patch);
      await go("mod", "edit", `-replace=${patch.module}=${copy}`);
    }
    const linked = join(work, "linked");
    await mkdir(linked);
    const results = new Results(tools, linked, options);
    await Promise.all([
      results.collect(),
      inTurn(batches(tools), (batch) => go(...buildArguments(batch, goMod, linked))).finally(() => {
        results.end();
      }),
    ]);
  } catch (error) {
    output.end();
    await finished(output);
    throw error instanceof Problem
      ? error
      : new Problem(failure(tools, log, await readFile(log, "utf8")), { cause: error });
  } finally {
    output.end();
  }
};

const inTurn = async <T>(all: readonly T[], work: (each: T) => Promise<void>): Promise<void> => {
  for (const each of all) await work(each);
};

/** Reports programs as soon as they are linked. */
class Results {
  private isEnded = false;

  constructor(
    private readonly tools: readonly Tool[],
    private readonly linked: string,
    private readonly options: BuildOptions,
  ) {}

  end(): void {
    this.isEnded = true;
  }

  async collect(): Promise<void> {
    const waiting = new Set(this.tools);
    while (waiting.size > 0) {
      const wasEnded = this.isEnded;
      for (const tool of waiting) {
        if (await exists(join(this.linked, programName(tool.package)))) {
          waiting.delete(tool);
          await this.handOn(tool);
        }
      }
      if (wasEnded) return;
      if (waiting.size > 0) await sleep(lookInterval);
    }
  }

  private async handOn(tool: Tool): Promise<void> {
    const folder = join(this.options.work, "built", tool.name, "bin");
    await mkdir(folder, { recursive: true });
    const program = join(folder, tool.name);
    await rename(join(this.linked, programName(tool.package)), program);
    if (tool.writes !== undefined) {
      await execa(program, tool.writes.arguments, { cwd: folder, stdin: "ignore" });
      for (const file of tool.writes.files) await access(join(folder, file));
    }
    await this.options.onBuilt(tool, folder);
  }
}

const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );

/** The message of a failed build: the tools, the path of the log, and its last lines. */
export const failure = (tools: readonly Tool[], log: string, output: string): string => {
  const names = tools.map(({ name }) => name).join(", ");
  if (output.includes("no space left on device")) {
    return `The disk is full, so ${names} could not be built (log: ${log}): free some space, then run this again`;
  }
  const lines = output.trim().split("\n").slice(-shownLines);
  return [`Building ${names} failed; its log, ${log}, ends with:`, ...lines.map((line) => `  ${line}`)].join("\n");
};

type RunGo = (...args: string[]) => Promise<void>;

const goRunner = (
  cwd: string,
  output: NodeJS.WritableStream,
  { environment, work, onPackage }: BuildOptions,
): RunGo => {
  let count = 0;
  return async (...args) => {
    output.write(`$ go ${args.join(" ")}\n`);
    // Programs are linked on the disk where they stay, so that renaming them into the cache is atomic.
    const env = { ...compilerEnvironment, ...environment, GOTMPDIR: work };
    const child = execa("go", args, { cwd, env, all: true, buffer: false, stdin: "ignore" });
    for await (const line of createInterface({ input: child.all })) {
      output.write(`${line}\n`);
      if (!line.includes(" ")) onPackage?.(++count);
    }
    await child;
  };
};
