import { mkdir, mkdtemp, readdir, rename, rm, stat } from "node:fs/promises";
import { homedir } from "node:os";
import { basename, join } from "node:path";
import { seal, verify } from "./integrity.ts";
import { codeOf, Problem } from "./problem.ts";
import { isRunning } from "./running.ts";

/** The per-user folder of what Hearth builds, unless HEARTH_CACHE names another. */
export const cacheRoot = (env: NodeJS.ProcessEnv = process.env): string =>
  env.HEARTH_CACHE ?? join(env.XDG_CACHE_HOME ?? join(homedir(), ".cache"), "hearth");

/** Turns what the system says about the cache's folder into something a person can act on. */
export const problemWith = (root: string, error: unknown): unknown => {
  const code = codeOf(error);
  switch (code) {
    case "EACCES":
    case "EPERM":
    case "EROFS":
    case "ENOTDIR":
    case "EEXIST":
      return new Problem(
        `The cache ${root} is not writable (${code}): make it writable, or set HEARTH_CACHE to a folder that is`,
      );
    case "ENOSPC":
      return new Problem(`No space is left for the cache ${root}: free some, or set HEARTH_CACHE to another disk`);
    default:
      return error;
  }
};

/** Built programs by content: `tools/<name>/<key>/bin/<name>` under one folder. Entries appear whole or not at all. */
export class ToolCache {
  /**
   * @param go folder of Go's own caches: what builds download and compile
   */
  constructor(
    readonly root: string = cacheRoot(),
    readonly go: string = join(root, "go"),
  ) {}

  /** Where the program is, once it has been added. */
  program(name: string, key: string): string {
    return join(this.entry(name, key), "bin", name);
  }

  /** The lock that a process holds while it makes what is named. */
  lock(name: string): string {
    return join(this.root, "locks", name);
  }

  /** The log of the last build of a Go module. */
  log(module: string): string {
    const name = module === "." ? "" : `-${basename(module)}`;
    return join(this.root, "logs", `build${name}.log`);
  }

  /** Whether the program is there as it was added. One that has changed is removed, and said to be. */
  async has(name: string, key: string): Promise<boolean> {
    const verdict = await verify(this.program(name, key), join(this.entry(name, key), "verified.json"));
    if (verdict === "spoilt") {
      process.stderr.write(`${name} in the cache is not what was put there (its SHA-256 differs), so it is had anew\n`);
      await rm(this.entry(name, key), { recursive: true, force: true }).catch((error: unknown) => {
        throw problemWith(this.root, error);
      });
    }
    return verdict === "whole";
  }

  /** Makes the folders that a build writes to, or says why it cannot. */
  async prepare(): Promise<void> {
    try {
      for (const folder of ["tools", "locks", "logs", "work"])
        await mkdir(join(this.root, folder), { recursive: true });
      await rm(await mkdtemp(join(this.root, "work", "check-")), { recursive: true });
    } catch (error) {
      throw problemWith(this.root, error);
    }
  }

  /** Does work in an empty folder that is on the cache's disk, and removes it afterwards. */
  async work(build: (folder: string) => Promise<void>): Promise<void> {
    const folder = await mkdtemp(join(this.root, "work", `build-${process.pid.toString()}-`));
    try {
      await build(folder);
    } catch (error) {
      throw problemWith(this.root, error);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }

  /** Adds a program: moves the folder that holds it, and what belongs to it, to its place. */
  async add(name: string, key: string, folder: string): Promise<string> {
    const place = join(this.entry(name, key), "bin");
    await seal(join(folder, name));
    await mkdir(this.entry(name, key), { recursive: true });
    await rename(folder, place).catch(async (error: unknown) => {
      // Another process was faster: what it built has the same content. What has no digest is replaced.
      if (await this.has(name, key)) return;
      const replaced = `${folder}-replaced`;
      await rename(place, replaced).catch(() => {
        throw error;
      });
      await rename(folder, place);
      await rm(replaced, { recursive: true, force: true });
    });
    return this.program(name, key);
  }

  /** Removes what killed builds left behind. */
  async sweep(): Promise<void> {
    for (const left of await readdir(join(this.root, "work")).catch(() => [])) {
      const pid = Number(/-(\d+)-[^-]*$/.exec(left)?.[1]);
      if (Number.isInteger(pid) && !isRunning(pid)) {
        await rm(join(this.root, "work", left), { recursive: true, force: true });
      }
    }
  }

  /** Removes Go's caches and every program but those given as `<name>/<key>`; gives the number of bytes freed. */
  async prune(kept: ReadonlySet<string>): Promise<number> {
    const programs = join(this.root, "tools");
    const folders = [this.go, join(this.root, "downloads")];
    for (const name of await readdir(programs).catch(() => [])) {
      for (const key of await readdir(join(programs, name))) {
        if (!kept.has(`${name}/${key}`)) folders.push(join(programs, name, key));
      }
    }
    let freed = 0;
    for (const folder of folders) {
      freed += await sizeOf(folder);
      await rm(folder, { recursive: true, force: true });
    }
    return freed;
  }

  private entry(name: string, key: string): string {
    return join(this.root, "tools", name, key);
  }
}

/** Bytes that the files of a folder take; none where it is missing. */
const sizeOf = async (folder: string): Promise<number> => {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
  const sizes = entries
    .filter((entry) => entry.isFile())
    .map((entry) => stat(join(entry.parentPath, entry.name)).then(({ size }) => size));
  return (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0);
};
