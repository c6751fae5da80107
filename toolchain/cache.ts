import { mkdir, mkdtemp, readdir, rename, rm, stat } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { codeOf, Problem } from "./problem.ts";
import { isRunning } from "./running.ts";

/** The per-user folder of what Hearth builds, unless HEARTH_CACHE names another. */
export const cacheRoot = (env: NodeJS.ProcessEnv = process.env): string =>
  env.HEARTH_CACHE ?? join(env.XDG_CACHE_HOME ?? join(homedir(), ".cache"), "hearth");

/** Turns what the system says about the cache's folder into something a person can act on. */
const problemWith = (root: string, error: unknown): unknown => {
  const code = codeOf(error);
  switch (code) {
    case "EACCES":
    case "EPERM":
    case "EROFS":
    case "ENOTDIR":
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
  constructor(readonly root: string = cacheRoot()) {}

  /** Where the program is, once it has been added. */
  program(name: string, key: string): string {
    return join(this.entry(name, key), "bin", name);
  }

  /** The lock that a process holds while it builds the program. */
  lock(name: string, key: string): string {
    return join(this.root, "locks", `${name}-${key}`);
  }

  /** The log of the program's last build. */
  log(name: string): string {
    return join(this.root, "logs", `build-${name}.log`);
  }

  async has(name: string, key: string): Promise<boolean> {
    return stat(this.program(name, key)).then(
      (found) => found.isFile(),
      () => false,
    );
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

  /**
   * Adds a program: build gets an empty folder, makes `bin/<name>` and whatever else it needs there, and only `bin` is kept.
   * Nothing of a failed build remains.
   */
  async add(name: string, key: string, build: (work: string) => Promise<void>): Promise<string> {
    const work = await mkdtemp(join(this.root, "work", `${name}-${process.pid.toString()}-`));
    try {
      await mkdir(join(work, "bin"));
      await build(work);
      await mkdir(this.entry(name, key), { recursive: true });
      await rename(join(work, "bin"), join(this.entry(name, key), "bin")).catch(async (error: unknown) => {
        // Another process was faster: what it built has the same content.
        if (!(await this.has(name, key))) throw error;
      });
    } catch (error) {
      throw problemWith(this.root, error);
    } finally {
      await rm(work, { recursive: true, force: true });
    }
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

  private entry(name: string, key: string): string {
    return join(this.root, "tools", name, key);
  }
}
