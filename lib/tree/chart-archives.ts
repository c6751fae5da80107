import { createHash } from "node:crypto";
import { mkdir, readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";

import semver from "semver";
import { parse } from "yaml";

import { listAt, textAt, type AskedChart } from "../../infra/tree-objects.ts";
import { ToolCache } from "../../toolchain/cache.ts";
import { Problem } from "../../toolchain/problem.ts";
import { download, type DownloadOptions } from "../../toolchain/vendors/download.ts";
import { Registry } from "../../toolchain/vendors/registry.ts";
import { discard, reasonOf, Web } from "../../toolchain/vendors/web.ts";
import type { Digests } from "./digest-list.ts";
import { chartKey, originOf, type ChartOrigin } from "./chart-origin.ts";
import type { ChartSource } from "./releases.ts";

/** What became of a chart that was asked for. */
export interface PulledChart {
  /** Its URL and version; see {@link chartKey}. */
  key: string;
  /** Digest of its archive, `sha256:…`. Undefined if it could not be had. */
  digest?: string;
  /** The archive in the cache. Undefined if it could not be had. */
  path?: string;
  /** Why it could not be had. */
  reason?: string;
  /** Whether the repository has another archive than the one that is recorded. */
  hasMoved?: true;
}

/** An archive as its repository has it. */
interface Published {
  url: string;
  /** SHA-256 in hex. */
  digest: string;
  headers?: Record<string, string>;
}

/** Media type of a chart's archive. Source: Helm v4.2, pkg/registry, ChartLayerMediaType. */
const chartLayer = "application/vnd.cncf.helm.chart.content.v1.tar+gzip";

/** Thrown where the archive is not the recorded one. */
class Moved extends Error {
  override readonly name = "Moved";
}

/**
 * Charts as their projects publish them, in registries and in Helm repositories, kept in a cache by the digest of the archive.
 *
 * Each repository is asked anonymously, once for each chart. One whose recorded digest is in the cache is not asked.
 */
export class ChartArchives {
  private readonly asked = new Map<string, Promise<PulledChart>>();

  constructor(
    private readonly digests: Digests,
    private readonly web: Web = new Web(),
    private readonly cache: ToolCache = new ToolCache(),
    private readonly options: DownloadOptions = {},
  ) {}

  /** The archive of the chart that a release asks for. Undefined if it could not be had; see {@link pulled}. */
  readonly find = async (asked: AskedChart): Promise<ChartSource | undefined> => {
    const { path } = await this.chart(asked);
    return path === undefined ? undefined : { path, with: {}, isPublished: true };
  };

  /** What became of each chart, in the order of the keys. */
  async pulled(): Promise<PulledChart[]> {
    const all = await Promise.all(this.asked.values());
    return all.sort((a, b) => (a.key < b.key ? -1 : 1));
  }

  close(): Promise<void> {
    return this.web.close();
  }

  private chart(asked: AskedChart): Promise<PulledChart> {
    const origin = originOf(asked);
    const key = "reason" in origin ? `${asked.name} ${asked.version}`.trim() : chartKey(origin);
    let chart = this.asked.get(key);
    if (chart === undefined) {
      chart = "reason" in origin ? Promise.resolve({ key, reason: origin.reason }) : this.pull(origin, key);
      this.asked.set(key, chart);
    }
    return chart;
  }

  private async pull(origin: ChartOrigin, key: string): Promise<PulledChart> {
    const recorded = this.digests[key]?.replace("sha256:", "");
    const had = (digest: string): PulledChart => ({ key, digest: `sha256:${digest}`, path: this.path(digest) });
    if (recorded !== undefined && (await this.has(recorded))) return had(recorded);
    try {
      const published = await (origin.kind === "registry" ? this.inRegistry(origin) : this.inRepository(origin));
      if (recorded !== undefined && published.digest !== recorded) {
        throw new Moved(`its repository has sha256:${published.digest}, and sha256:${recorded} is recorded`);
      }
      if (!(await this.has(published.digest))) await this.fetch(published);
      return had(published.digest);
    } catch (error) {
      // A Problem is an archive that is not what its repository said; its first line says so.
      if (error instanceof Problem) return { key, reason: error.message, hasMoved: true };
      return { key, reason: reasonOf(error), ...(error instanceof Moved && { hasMoved: true }) };
    }
  }

  /** The archive of an image in a registry. */
  private async inRegistry({ url, version, isPlain }: ChartOrigin): Promise<Published> {
    const reference = `${url.replace("oci://", isPlain ? "http://" : "")}:${version.replaceAll("+", "_")}`;
    return new Registry(this.web, reference).layer(chartLayer);
  }

  /**
   * The archive that the index of a Helm repository names.
   *
   * Source: Helm v4.2, pkg/repo/v1, IndexFile: a URL may be relative to the repository's.
   */
  private async inRepository({ url, name, version }: ChartOrigin): Promise<Published> {
    const repository = url.slice(0, -name.length);
    const index: unknown = parse(await this.text(`${repository}index.yaml`), { maxAliasCount: 0 });
    const entry = listAt(index, "entries", name).find((each) => isVersion(textAt(each, "version"), version));
    const [path] = listAt(entry, "urls");
    const digest = textAt(entry, "digest")?.replace("sha256:", "") ?? "";
    if (typeof path !== "string") throw new Error(`its repository has no ${name} ${version}`);
    if (!/^[0-9a-f]{64}$/.test(digest)) throw new Error("its repository's index has no digest of it");
    return { url: new URL(path, repository).href, digest };
  }

  private async text(url: string): Promise<string> {
    const answer = await this.web.ask(url);
    if (answer.statusCode === 200) return answer.body.text();
    await discard(answer);
    throw new Error(`HTTP ${answer.statusCode.toString()}`);
  }

  /** @throws Problem where the archive is not the one that the repository named */
  private async fetch(published: Published): Promise<void> {
    await this.cache.prepare();
    await this.cache.work(async (work) => {
      const part = join(work, "chart.tgz");
      await download(this.web, published, part, this.options);
      await mkdir(join(this.cache.root, "charts"), { recursive: true });
      await rename(part, this.path(published.digest));
    });
  }

  /** Whether the cache has the archive unchanged. A changed one is removed. */
  private async has(digest: string): Promise<boolean> {
    const content = await readFile(this.path(digest)).catch(() => undefined);
    if (content === undefined) return false;
    if (createHash("sha256").update(content).digest("hex") === digest) return true;
    await rm(this.path(digest), { force: true });
    return false;
  }

  private path(digest: string): string {
    return join(this.cache.root, "charts", `${digest}.tgz`);
  }
}

/** Projects write versions with or without a leading `v`. */
const isVersion = (found: string | undefined, version: string): boolean =>
  found === version || (found !== undefined && semver.clean(found) === semver.clean(version));
