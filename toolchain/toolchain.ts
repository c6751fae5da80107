import { readFile, statfs } from "node:fs/promises";
import { join } from "node:path";
import semver from "semver";
import { build, buildArguments } from "./build.ts";
import { ToolCache } from "./cache.ts";
import { Deferred } from "./deferred.ts";
import { buildEnvironment, findGo, goEnvironment, requireGo, type Go } from "./go.ts";
import { goDirective, requiredVersion } from "./gomod.ts";
import { contentKey, filesBelow } from "./key.ts";
import { besides, inPluginFolder, onPath, type Located } from "./locate.ts";
import { withLock } from "./lock.ts";
import { patches as allPatches, type Patch } from "./patches.ts";
import { Problem } from "./problem.ts";
import { showProgress } from "./progress.ts";
import { tools, type Tool } from "./tools.ts";
import { Vendors, type VendorsOptions } from "./vendors/vendors.ts";

const GiB = 2 ** 30;

/** Peak disk space of a build, for one large tool and for all, in GiB (docs/benchmarks.md). */
const diskGiB = { one: 3, all: 16 };

/** Duration of a build from scratch on two processors, for one large tool and for all, in minutes (docs/benchmarks.md). */
const minutes = { one: 4, all: 15 };

/** Tools share most of their packages, so many tools take little more than a few. */
const estimate = (of: { one: number; all: number }, count: number): number => Math.min(of.all, of.one * count);

/** A tool that has to be built, with everything that its build needs. */
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
  /** The known tools. @default the project's */
  table?: readonly Tool[];
  /** The patches by module. @default the project's */
  patches?: Readonly<Record<string, readonly Patch[]>>;
  /** Options for downloads of release files. */
  vendors?: Partial<VendorsOptions>;
}

/**
 * Finds the programs that Hearth runs. It first looks on this machine, without the network: in Pulumi's plugin folder, on PATH
 * and in the cache. Then it downloads the vendors' releases, and builds what remains: no plugin, if HEARTH_PLUGINS is `vendor`.
 */
export class Toolchain {
  private readonly root: string;
  private readonly cache: ToolCache;
  private readonly env: NodeJS.ProcessEnv;
  private readonly table: readonly Tool[];
  private readonly patches: Readonly<Record<string, readonly Patch[]>>;
  private readonly vendors: Vendors;
  private go: Promise<Go> | undefined;

  constructor({
    root,
    cache = new ToolCache(),
    env = process.env,
    table = tools,
    patches = allPatches,
    vendors = {},
  }: ToolchainOptions) {
    this.root = root;
    this.cache = cache;
    this.env = env;
    this.table = table;
    this.patches = patches;
    this.vendors = new Vendors({ root, cache, env, ...vendors });
  }

  /** Returns the paths of the named programs, after downloading or building the missing ones. */
  async ensure(names: readonly string[]): Promise<Record<string, string>> {
    const found: Record<string, string> = {};
    const missing: Missing[] = [];
    for (const [name, state] of await this.survey(names)) {
      if ("path" in state) found[name] = state.path;
      else missing.push(state);
    }
    if (missing.length > 0) Object.assign(found, await this.vendors.fetch(missing));
    const remaining = missing.filter(({ tool }) => !(tool.name in found));
    this.requireVendorPlugins(remaining);
    if (remaining.length > 0) Object.assign(found, await this.buildAll(remaining));
    return found;
  }

  /** Returns the location of each named program, or undefined if it would have to be built. */
  async locate(names: readonly string[]): Promise<Map<string, Located | undefined>> {
    const states = await this.survey(names);
    return new Map([...states].map(([name, state]) => [name, "path" in state ? state : undefined]));
  }

  /** Returns the pinned version of a tool, without a leading `v`. Empty for Hearth's own programs. */
  async pinnedVersion(name: string): Promise<string> {
    const tool = this.tool(name);
    return pinned(tool, await this.goMod(tool));
  }

  /** Returns the version of a tool's own release. For a plugin it is the one that its npm package requires. */
  async releasedVersion(name: string): Promise<string> {
    return this.vendors.versionOf({ tool: this.tool(name), version: await this.pinnedVersion(name) });
  }

  /**
   * Removes Go's caches, and every tool that is not this checkout's. Returns the number of bytes freed.
   *
   * It waits for a build in progress. Programs that are running keep running: the system deletes their files when they end.
   */
  async prune(): Promise<number> {
    const { cache } = this;
    const keep = this.table.map(async (tool) => {
      const goMod = await this.goMod(tool);
      const built = await this.key(tool, goMod, await this.sources(tool));
      const downloaded = await this.vendors.keyOf({ tool, version: pinned(tool, goMod) });
      return [built, downloaded].map((key) => `${tool.name}/${key}`);
    });
    const kept = new Set((await Promise.all(keep)).flat());
    await cache.prepare();
    return withLock(cache.lock("build"), () => cache.prune(kept));
  }

  /** Whether a tool is a plugin that has to be the vendor's: HEARTH_PLUGINS=vendor accepts no other. */
  private isOnlyVendors({ vendorPlugin: plugin }: Tool): boolean {
    const { HEARTH_PLUGINS: wanted } = this.env;
    if (wanted !== undefined && wanted !== "" && wanted !== "vendor") {
      throw new Problem(`HEARTH_PLUGINS is ${wanted}: set it to vendor, or do not set it`);
    }
    return wanted === "vendor" && plugin !== undefined;
  }

  private requireVendorPlugins(missing: readonly Missing[]): void {
    const absent = missing.filter(({ tool }) => this.isOnlyVendors(tool)).map(({ tool }) => tool.name);
    if (absent.length === 0) return;
    throw new Problem(
      `HEARTH_PLUGINS=vendor accepts the vendors' plugins only, and ${absent.join(", ")} ${absent.length === 1 ? "is" : "are"} not installed: ` +
        "run pulumi install, or unset HEARTH_PLUGINS",
    );
  }

  private async survey(names: readonly string[]): Promise<Map<string, Located | Missing>> {
    const states = names.map(async (name) => [name, await this.find(this.tool(name))] as const);
    return new Map(await Promise.all(states));
  }

  private async find(tool: Tool): Promise<Located | Missing> {
    const isOnlyVendors = this.isOnlyVendors(tool);
    const goMod = await this.goMod(tool);
    const version = pinned(tool, goMod);
    const companion = tool.shipsWith === undefined ? undefined : this.tool(tool.shipsWith);
    const installed =
      (await inPluginFolder(tool, this.root, this.env)) ??
      (companion === undefined
        ? await onPath(tool, version, this.env)
        : await this.find(companion).then((state) => ("path" in state ? besides(tool, state) : undefined)));
    if (installed !== undefined) return installed;
    const downloaded = await this.vendors.cached({ tool, version });
    if (downloaded !== undefined) return downloaded;
    if (isOnlyVendors) return { tool, version, key: "", goMod, files: {} };
    const files = await this.sources(tool);
    const key = await this.key(tool, goMod, files).catch((error: unknown) => {
      // Without Go there can be no build of it. That is an error only when something has to be built.
      if (error instanceof Problem) return "";
      throw error;
    });
    if (key !== "" && (await this.cache.has(tool.name, key))) {
      return { path: this.cache.program(tool.name, key), version, source: "cache" };
    }
    return { tool, version, key, goMod, files };
  }

  /** Returns Hearth's own source files of a tool, by their path in its Go module. */
  private async sources({ module, source }: Tool): Promise<Record<string, Uint8Array>> {
    return source === undefined ? {} : filesBelow(join(this.root, module), source);
  }

  private async key(tool: Tool, goMod: string, files: Record<string, Uint8Array>): Promise<string> {
    const go = await (this.go ??= findGo(this.env));
    const goSum = await readFile(join(this.root, tool.module, "go.sum")).catch(() => new Uint8Array());
    const settings = Object.entries(goEnvironment).map(([name, value]) => `${name}=${value}`);
    const command = [
      ...settings,
      JSON.stringify(this.patches[tool.module] ?? []),
      JSON.stringify(tool.writes ?? {}),
      ...buildArguments([tool], goMod, "linked"),
    ];
    return contentKey({
      files: { ...files, "go.mod": Buffer.from(goMod), "go.sum": goSum },
      command,
      goVersion: go.version,
      platform: go.platform,
    });
  }

  private async buildAll(missing: Missing[]): Promise<Record<string, string>> {
    const go = await (this.go ??= findGo(this.env));
    for (const { goMod } of missing) requireGo(go, goDirective(goMod));
    await this.cache.prepare();
    await this.cache.sweep();
    await this.requireDisk(missing.length);
    const ordered = [...missing].sort((a, b) => this.table.indexOf(a.tool) - this.table.indexOf(b.tool));
    const built = new Map(ordered.map((each) => [each.tool.name, new Deferred<string>()]));
    const reports = new Map<string, (text: string) => void>();
    const steps = ordered.map(({ tool, version }) => ({
      title: `${tool.name} ${version}`.trim(),
      run: async (say: (text: string) => void) => {
        reports.set(tool.name, say);
        await built.get(tool.name)?.promise;
        reports.delete(tool.name);
      },
    }));
    const say = (text: string): void => reports.values().next().value?.(text);
    const work = this.buildInTurn(ordered, built, say).catch((error: unknown) => {
      for (const each of built.values()) each.reject(error);
    });
    await showProgress(
      `Building ${missing.length.toString()} tools in ${this.cache.root}, in up to ${estimate(minutes, missing.length).toString()} minutes on two processors`,
      steps,
    );
    await work;
    const paths = [...built].map(async ([name, { promise }]) => [name, await promise] as const);
    return Object.fromEntries(await Promise.all(paths));
  }

  /** Builds one Go module after the other, because each build already uses all processors. */
  private async buildInTurn(
    missing: readonly Missing[],
    built: ReadonlyMap<string, Deferred<string>>,
    say: (text: string) => void,
  ): Promise<void> {
    const { cache } = this;
    await withLock(
      cache.lock("build"),
      async () => {
        for (const module of new Set(missing.map(({ tool }) => tool.module))) {
          const wanted: Missing[] = [];
          for (const each of missing.filter(({ tool }) => tool.module === module)) {
            if (!(await cache.has(each.tool.name, each.key))) wanted.push(each);
            else built.get(each.tool.name)?.resolve(cache.program(each.tool.name, each.key));
          }
          if (wanted.length > 0) await this.buildModule(module, wanted, built, say);
        }
      },
      {
        onWait: (pid) => {
          say(`process ${pid.toString()} is building, waiting`);
        },
      },
    );
  }

  private async buildModule(
    module: string,
    missing: readonly Missing[],
    built: ReadonlyMap<string, Deferred<string>>,
    say: (text: string) => void,
  ): Promise<void> {
    const { cache } = this;
    await cache.work(async (work) => {
      await build(
        missing.map(({ tool }) => tool),
        {
          module: join(this.root, module),
          files: Object.assign({}, ...missing.map(({ files }) => files)) as Record<string, Uint8Array>,
          patches: this.patches[module] ?? [],
          work,
          environment: buildEnvironment(cache.go),
          log: cache.log(module),
          onPackage: (count) => {
            say(`${count.toString()} packages compiled`);
          },
          onBuilt: async (tool, folder) => {
            const { key } = missing.find((each) => each.tool === tool) ?? { key: "" };
            built.get(tool.name)?.resolve(await cache.add(tool.name, key, folder));
          },
        },
      );
    });
  }

  private async requireDisk(count: number): Promise<void> {
    const needed = estimate(diskGiB, count);
    const { root } = this.cache;
    const { bavail, bsize } = await statfs(root).catch(() => ({ bavail: Infinity, bsize: 1 }));
    const free = (bavail * bsize) / GiB;
    if (free < needed) {
      throw new Problem(
        `Building ${count.toString()} tools takes up to ${needed.toString()} GiB, and ${root} has ${free.toFixed(1)} GiB free: ` +
          "free some, or move HEARTH_CACHE to another disk",
      );
    }
  }

  private goMod(tool: Tool): Promise<string> {
    return readFile(join(this.root, tool.module, "go.mod"), "utf8");
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
