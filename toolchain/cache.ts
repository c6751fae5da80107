import { mkdir, mkdtemp, readdir, rename, rm, stat } from "node:fs/promises";
import { homedir } from "node:os";
import { basename, join } from "node:path";
import { seal, verify } from "./integrity.ts";
import { codeOf, Problem } from "./problem.ts";
import { isRunning } from "./running.ts";

/** Returns the user's cache folder, unless HEARTH_CACHE names another. */
export const cacheRoot = (env: NodeJS.ProcessEnv = process.env): string =>
  env.HEARTH_CACHE ?? join(env.XDG_CACHE_HOME ?? join(homedir(), ".cache"), "hearth");

/** Turns a system error about the cache's folder into a problem that says what to do. */
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
      return new Problem(`The disk of the cache ${root} is full: free some space, or set HEARTH_CACHE to another disk`);
    default:
      return error;
  }
};

/** A cache of built programs by content: `tools/<name>/<key>/bin/<name>` in one folder. Adding an entry is atomic. */
export class ToolCache {
  /**
   * @param go folder of Go's own caches, for downloaded modules and compiled packages
   */
  constructor(
    readonly root: string = cacheRoot(),
    readonly go: string = join(root, "go"),
  ) {}

  /** Returns the path of a program in the cache. */
  program(name: string, key: string): string {
    return join(this.entry(name, key), "bin", name);
  }

  /** Returns the path of the lock that a process holds during the named work. */
  lock(name: string): string {
    return join(this.root, "locks", name);
  }

  /** Returns the path of the log of a Go module's last build. */
  log(module: string): string {
    const name = module === "." ? "" : `-${basename(module)}`;
    return join(this.root, "logs", `build${name}.log`);
  }

  /** Whether the cache has an unchanged program. A changed one is removed, with a message. */
  async has(name: string, key: string): Promise<boolean> {
    const verdict = await verify(this.program(name, key), join(this.entry(name, key), "verified.json"));
    if (verdict === "spoilt") {
      process.stderr.write(
        `${name} in the cache has changed (its SHA-256 differs), so it is downloaded or built again\n`,
      );
      await rm(this.entry(name, key), { recursive: true, force: true }).catch((error: unknown) => {
        throw problemWith(this.root, error);
      });
    }
    return verdict === "whole";
  }

  /** Creates the folders that a build writes to. Throws a problem if it cannot. */
  async prepare(): Promise<void> {
    try {
      for (const folder of ["tools", "locks", "logs", "work"])
        await mkdir(join(this.root, folder), { recursive: true });
      await rm(await mkdtemp(join(this.root, "work", "check-")), { recursive: true });
    } catch (error) {
      throw problemWith(this.root, error);
    }
  }

  /** Runs work in a temporary folder on the cache's disk, and removes the folder afterwards. */
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

  /** Adds a program by moving the folder that contains it, and the files that belong to it, into the cache. */
  async add(name: string, key: string, folder: string): Promise<string> {
    const destination = join(this.entry(name, key), "bin");
    await seal(join(folder, name));
    await mkdir(this.entry(name, key), { recursive: true });
    await rename(folder, destination).catch(async (error: unknown) => {
      // Another process was faster and added the same content. An entry without a digest is replaced.
      if (await this.has(name, key)) return;
      const replaced = `${folder}-replaced`;
      await rename(destination, replaced).catch(() => {
        throw error;
      });
      await rename(folder, destination);
      await rm(replaced, { recursive: true, force: true });
    });
    return this.program(name, key);
  }

  /** Removes the temporary folders of killed builds. */
  async sweep(): Promise<void> {
    for (const name of await readdir(join(this.root, "work")).catch(() => [])) {
      const pid = Number(/-(\d+)-[^-]*$/.exec(name)?.[1]);
      if (Number.isInteger(pid) && !isRunning(pid)) {
        await rm(join(this.root, "work", name), { recursive: true, force: true });
      }
    }
  }

  /** Removes Go's caches and every program except those given as `<name>/<key>`. Returns the number of bytes freed. */
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

/** Returns the size of a folder's files in bytes, or 0 if it is missing. */
const sizeOf = async (folder: string): Promise<number> => {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
  const sizes = entries
    .filter((entry) => entry.isFile())
    .map((entry) => stat(join(entry.parentPath, entry.name)).then(({ size }) => size));
  return (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0);
};
