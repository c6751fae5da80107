import { readFile, statfs } from "node:fs/promises";
import { availableParallelism, freemem } from "node:os";
import { join } from "node:path";
import semver from "semver";
import { build, buildArguments } from "./build.ts";
import { ToolCache } from "./cache.ts";
import { findGo, goEnvironment, requireGo, type Go } from "./go.ts";
import { goDirective, requiredVersion } from "./gomod.ts";
import { contentKey, moduleFiles } from "./key.ts";
import { besides, inPluginFolder, onPath, type Located } from "./locate.ts";
import { withLock } from "./lock.ts";
import { Problem } from "./problem.ts";
import { showProgress, type Step } from "./progress.ts";
import { Budget } from "./budget.ts";
import { tools, type Tool } from "./tools.ts";

const GiB = 2 ** 30;

/** Disk that building everything takes, with Go's caches, in GiB. Seen: 28 after a first `npm run lab`. */
const diskForAllGiB = 30;

/** A tool that has to be built, with all that its build needs. */
interface Missing {
  tool: Tool;
  version: string;
  key: string;
  goMod: string;
  files: Record<string, Uint8Array>;
}

export interface ToolchainOptions {
  /** The checkout's root. */
  root: string;
  cache?: ToolCache;
  env?: NodeJS.ProcessEnv;
  /** The tools there are; a test gives its own. */
  table?: readonly Tool[];
}

/** Finds the programs that Hearth runs, and builds those that are nowhere: PATH first, then the cache, then a build. */
export class Toolchain {
  private readonly root: string;
  private readonly cache: ToolCache;
  private readonly env: NodeJS.ProcessEnv;
  private readonly table: readonly Tool[];
  private go: Promise<Go> | undefined;

  constructor({ root, cache = new ToolCache(), env = process.env, table = tools }: ToolchainOptions) {
    this.root = root;
    this.cache = cache;
    this.env = env;
    this.table = table;
  }

  /** Gives the paths of the programs named, after building those that are missing. */
  async ensure(names: readonly string[]): Promise<Record<string, string>> {
    const found: Record<string, string> = {};
    const missing: Missing[] = [];
    for (const [name, state] of await this.survey(names)) {
      if ("path" in state) found[name] = state.path;
      else missing.push(state);
    }
    if (missing.length > 0) Object.assign(found, await this.buildAll(missing));
    return found;
  }

  /** Where each program named is, or undefined where it would have to be built. */
  async locate(names: readonly string[]): Promise<Map<string, Located | undefined>> {
    const states = await this.survey(names);
    return new Map([...states].map(([name, state]) => [name, "path" in state ? state : undefined]));
  }

  /** The version that a tool is pinned at, without a leading `v`; empty for Hearth's own programs. */
  async pinnedVersion(name: string): Promise<string> {
    const tool = this.tool(name);
    return pinned(tool, await this.goMod(tool));
  }

  private async survey(names: readonly string[]): Promise<Map<string, Located | Missing>> {
    const states = names.map(async (name) => [name, await this.find(this.tool(name))] as const);
    return new Map(await Promise.all(states));
  }

  private async find(tool: Tool): Promise<Located | Missing> {
    const goMod = await this.goMod(tool);
    const version = pinned(tool, goMod);
    const companion = tool.shipsWith === undefined ? undefined : this.tool(tool.shipsWith);
    const installed =
      (await inPluginFolder(tool, this.root, this.env)) ??
      (companion === undefined
        ? await onPath(tool, version, this.env)
        : await this.find(companion).then((state) => ("path" in state ? besides(tool, state) : undefined)));
    if (installed !== undefined) return installed;
    const files = await moduleFiles(join(this.root, tool.folder), tool.generates);
    const key = await this.key(tool, goMod, files);
    if (await this.cache.has(tool.name, key)) {
      return { path: this.cache.program(tool.name, key), version, source: "cache" };
    }
    return { tool, version, key, goMod, files };
  }

  private async key(tool: Tool, goMod: string, files: Record<string, Uint8Array>): Promise<string> {
    const go = await (this.go ??= findGo(this.env));
    const settings = Object.entries(goEnvironment).map(([name, value]) => `${name}=${value}`);
    const patches = JSON.stringify(tool.patched ?? {});
    const command = [...settings, patches, ...buildArguments(tool, goMod)];
    return contentKey({ files, command, goVersion: go.version, platform: go.platform });
  }

  private async buildAll(missing: Missing[]): Promise<Record<string, string>> {
    const go = await (this.go ??= findGo(this.env));
    for (const { goMod } of missing) requireGo(go, goDirective(goMod));
    await this.cache.prepare();
    await this.cache.sweep();
    await this.requireDisk(go, missing.length);
    const budget = new Budget({ slots: availableParallelism(), memory: Math.max(2, (freemem() / GiB) * 0.8) });
    const paths: Record<string, string> = {};
    const steps = [...missing]
      .sort((a, b) => this.table.indexOf(a.tool) - this.table.indexOf(b.tool))
      .map(({ tool, version, ...rest }): Step => ({
        title: `${tool.name} ${version}`.trim(),
        run: async (say) => {
          // Two builds of one module compile the same packages: one after the other, the second finds them done.
          await budget.run({ memory: tool.memoryGiB, alone: tool.folder }, async () => {
            paths[tool.name] = await this.buildOne({ tool, version, ...rest }, say);
          });
        },
      }));
    await showProgress("Building tools", steps);
    return paths;
  }

  private buildOne({ tool, key, files }: Missing, say: (text: string) => void): Promise<string> {
    const { cache } = this;
    return withLock(
      cache.lock(tool.name, key),
      async () => {
        if (await cache.has(tool.name, key)) return cache.program(tool.name, key);
        say("starting");
        return cache.add(tool.name, key, (work) =>
          build(tool, {
            files,
            work,
            log: cache.log(tool.name),
            onPackage: (count) => {
              say(`${count.toString()} packages compiled`);
            },
          }),
        );
      },
      {
        onWait: (pid) => {
          say(`process ${pid.toString()} is building it already, waiting`);
        },
      },
    );
  }

  private async requireDisk(go: Go, count: number): Promise<void> {
    const needed = Math.ceil((diskForAllGiB * count) / this.table.length);
    for (const folder of [this.cache.root, go.buildCache]) {
      const { bavail, bsize } = await statfs(folder).catch(() => ({ bavail: Infinity, bsize: 1 }));
      const free = (bavail * bsize) / GiB;
      if (free < needed) {
        throw new Problem(
          `Building ${count.toString()} tools takes up to ${needed.toString()} GiB, and ${folder} has ${free.toFixed(1)} GiB free: ` +
            "free some, or move HEARTH_CACHE and GOCACHE to another disk",
        );
      }
    }
  }

  private goMod(tool: Tool): Promise<string> {
    return readFile(join(this.root, tool.folder, "go.mod"), "utf8");
  }

  private tool(name: string): Tool {
    const tool = this.table.find((candidate) => candidate.name === name);
    if (tool === undefined) {
      throw new Problem(`There is no tool "${name}": use one of ${this.table.map((known) => known.name).join(", ")}`);
    }
    return tool;
  }
}

const pinned = (tool: Tool, goMod: string): string => {
  if (tool.versionOf === undefined) return "";
  const version = requiredVersion(goMod, tool.versionOf);
  return semver.clean(version) ?? version;
};
