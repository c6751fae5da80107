import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { problemWith, type ToolCache } from "../cache.ts";
import { vendorPlugin, type Located } from "../locate.ts";
import { withLock } from "../lock.ts";
import { showProgress, type Step } from "../progress.ts";
import type { Tool } from "../tools.ts";
import pinned from "./digests.json" with { type: "json" };
import { Unavailable, type DownloadOptions } from "./download.ts";
import { hostOf, probe } from "./probe.ts";
import { releases, type Release } from "./releases.ts";
import { plan } from "./report.ts";
import { take, type TakeOptions } from "./take.ts";
import { unpack } from "./unpack.ts";
import { downloadKey, wantedOf, type Digests, type Group, type Wanted } from "./wanted.ts";
import { Web, type Timeouts } from "./web.ts";

/** A tool that was not found on this machine, in the version that its Go module pins. */
export interface Absent {
  tool: Tool;
  version: string;
}

export interface VendorsOptions {
  /** The checkout's root. */
  root: string;
  cache: ToolCache;
  env?: NodeJS.ProcessEnv;
  /** In Go's notation, for example `linux/amd64`. */
  platform?: string;
  /** The known releases. @default the project's */
  releases?: readonly Release[];
  digests?: Readonly<Record<string, Digests>>;
  timeouts?: Partial<Timeouts> & { probe?: number };
  retry?: Pick<DownloadOptions, "tries" | "pause">;
}

const thisPlatform = (): string => `${process.platform}/${process.arch === "x64" ? "amd64" : process.arch}`;

/** Downloads tools from their vendors: release files and images whose digests are pinned. The cache keeps them. */
export class Vendors {
  private readonly options: Required<Omit<VendorsOptions, "timeouts" | "retry">> & VendorsOptions;

  constructor(options: VendorsOptions) {
    this.options = { env: process.env, platform: thisPlatform(), releases, digests: pinned, ...options };
  }

  /** Whether downloads are enabled. */
  get on(): boolean {
    return this.options.env.HEARTH_DOWNLOADS !== "off";
  }

  /** Returns the cache key of a downloaded tool. Empty if it cannot be downloaded. */
  async keyOf(absent: Absent): Promise<string> {
    const wanted = await this.wanted(absent);
    return "reason" in wanted ? "" : downloadKey(wanted, absent.tool.name);
  }

  /** Finds a tool that was downloaded before, without the network. */
  async cached({ tool, version }: Absent): Promise<Located | undefined> {
    const wanted = this.on ? await this.wanted({ tool, version }) : { reason: "" };
    if ("reason" in wanted) return undefined;
    const key = downloadKey(wanted, tool.name);
    if (!(await this.options.cache.has(tool.name, key))) return undefined;
    return { path: this.options.cache.program(tool.name, key), version: wanted.asset.version, source: "download" };
  }

  /**
   * Downloads the tools that have a release, and returns their paths. It probes each server once first, so that a blocked network
   * costs only the timeout of one request.
   *
   * @throws Problem if a downloaded file is not the expected one
   */
  async fetch(absent: readonly Absent[]): Promise<Record<string, string>> {
    const why = new Map<string, string>();
    const groups = new Map<string, Group>();
    for (const each of absent) {
      const wanted = this.on ? await this.wanted(each) : { reason: "HEARTH_DOWNLOADS=off" };
      if ("reason" in wanted) why.set(each.tool.name, wanted.reason);
      else group(groups, wanted).push(each.tool.name);
    }
    const paths: Record<string, string> = {};
    const web = new Web(this.options.env, this.options.timeouts);
    try {
      const all = [...groups.values()];
      const answers = await probe(
        web,
        all.map(({ wanted }) => wanted),
        this.options.timeouts?.probe,
      );
      for (const { wanted, names } of all) {
        const reason = answers.get(hostOf(wanted));
        if (reason !== undefined) for (const name of names) why.set(name, `${hostOf(wanted)} ${reason}`);
      }
      const reachable = all.filter(({ names }) => names.every((name) => !why.has(name)));
      process.stderr.write(`${plan(reachable, why)}\n`);
      await this.fetchAll(web, reachable, paths);
    } finally {
      await web.close();
    }
    return paths;
  }

  /** Returns the version of the release. For a plugin it is the one that its npm package requires. */
  async versionOf({ tool, version }: Absent): Promise<string> {
    return (await vendorPlugin(tool, this.options.root))?.version ?? version;
  }

  private async wanted(absent: Absent): Promise<Wanted | { reason: string }> {
    const { platform, releases: table, digests } = this.options;
    const { versionOf, vendorPlugin: plugin } = absent.tool;
    if (versionOf === undefined && plugin === undefined) return { reason: "Hearth's own" };
    return wantedOf(absent.tool.name, await this.versionOf(absent), platform, table, digests);
  }

  private async fetchAll(web: Web, groups: readonly Group[], paths: Record<string, string>): Promise<void> {
    if (groups.length === 0) return;
    await this.options.cache.prepare();
    const failures: string[] = [];
    const steps = groups.map(({ wanted, names }): Step => ({
      title: `${names.join(" and ")} ${wanted.asset.version}`,
      run: async (say) => {
        try {
          for (const [name, path] of await this.fetchOne(web, { wanted, names }, say)) paths[name] = path;
        } catch (error) {
          if (!(error instanceof Unavailable)) throw problemWith(this.options.cache.root, error);
          failures.push(`${names.join(" and ")} could not be downloaded from ${wanted.from}: ${error.message}`);
        }
      },
    }));
    await showProgress("Downloading tools", steps);
    for (const failure of failures) process.stderr.write(`${failure}\n`);
  }

  private fetchOne(web: Web, { wanted, names }: Group, say: (text: string) => void): Promise<[string, string][]> {
    const { cache } = this.options;
    const onWait = (pid: number): void => {
      say(`process ${pid.toString()} is already downloading it, waiting`);
    };
    return withLock(
      cache.lock(`download-${wanted.digest}`),
      async () => {
        const missing = await filter(names, async (name) => !(await cache.has(name, downloadKey(wanted, name))));
        const options: TakeOptions = {
          ...this.options.retry,
          parts: join(cache.root, "downloads"),
          place: (name, archive, packed) => this.place(wanted, name, archive, packed),
          onBytes: (bytes) => {
            say(`${Math.round(bytes / 2 ** 20).toString()} MiB`);
          },
        };
        if (missing.length > 0) await take(web, wanted, missing, options);
        return names.map((name) => [name, cache.program(name, downloadKey(wanted, name))]);
      },
      { onWait },
    );
  }

  /** Extracts a tool from an archive into the cache. */
  private async place(wanted: Wanted, name: string, archive: string, packed: Release["packed"]): Promise<boolean> {
    const member = wanted.holds[name] ?? "";
    const { cache } = this.options;
    let isFound = false;
    await cache.work(async (work) => {
      const folder = join(work, "bin");
      await mkdir(folder);
      isFound = (await unpack(archive, packed, new Map([[member, join(folder, name)]]))).has(member);
      if (isFound) await cache.add(name, downloadKey(wanted, name), folder);
    });
    return isFound;
  }
}

const group = (groups: Map<string, Group>, wanted: Wanted): string[] => {
  const found = groups.get(wanted.from) ?? { wanted, names: [] };
  groups.set(wanted.from, found);
  return found.names;
};

const filter = async <T>(items: readonly T[], keep: (item: T) => Promise<boolean>): Promise<T[]> => {
  const kept = await Promise.all(items.map(keep));
  return items.filter((_, index) => kept[index] === true);
};
