import { mkdtempSync, readdirSync, rmSync, statfsSync, statSync, writeFileSync } from "node:fs";
import { hostname, tmpdir, userInfo } from "node:os";
import { join } from "node:path";

import { onExit } from "signal-exit";

import { codeOf, Problem } from "../../toolchain/problem.ts";
import { isRunning, startOf } from "../../toolchain/running.ts";

/** A folder that only this user can look into. */
export interface PrivateFolder {
  path: string;
  /** Notes a process that uses the folder and may outlive this one. The folder stays for as long as that runs. */
  usedBy: (pid: number) => void;
  /** Removes the folder, unless a process that was noted still runs: then the next command does it. */
  remove: () => void;
}

export interface PrivateFolderOptions {
  /** Space that may be needed, in bytes. A folder in memory has to have it free. @default 0 */
  space?: number;
}

/** Folders of this process that are there now. */
const open = new Set<string>();

/** Whether this process has removed old folders, and will remove its own when it ends. */
let ready = false;

/**
 * Lends work a folder that only this user can look into, for what has to be a file for another program.
 *
 * It is in memory where the system has a runtime directory. It is gone when the work is done or has failed, and when the process is
 * ended by a signal; where the process was killed, the next command removes it.
 */
export const withPrivateFolder = async <T>(work: (folder: string) => Promise<T>): Promise<T> => {
  const { path, remove } = openPrivateFolder();
  try {
    return await work(path);
  } finally {
    remove();
  }
};

/** Opens a private folder, for work that is no function. Whoever opens it removes it. */
export const openPrivateFolder = ({ space = 0 }: PrivateFolderOptions = {}): PrivateFolder => {
  prepare();
  const path = make(base(space));
  open.add(path);
  return {
    path,
    usedBy: (pid) => {
      const started = startOf(pid);
      if (started !== undefined) writeFileSync(join(path, `${note}${pid.toString()}-${started}`), "");
    },
    remove: () => {
      if (!isInUse(path)) remove(path);
    },
  };
};

/** Removes the private folders of processes that have ended, but not those of other users or machines. */
export const sweepPrivateFolders = (): void => {
  for (const each of new Set([base(0), tmpdir()])) {
    for (const name of namesIn(each).filter((entry) => entry.startsWith(prefix()))) {
      const pid = Number(name.slice(prefix().length).split("-")[0]);
      const path = join(each, name);
      if (Number.isInteger(pid) && pid > 0 && !isRunning(pid) && !isInUse(path)) quietly(path);
    }
  }
};

/** Begins the names of files that say which processes use a folder. */
const note = ".used-by-";

const isInUse = (folder: string): boolean =>
  namesIn(folder)
    .filter((name) => name.startsWith(note))
    .some((name) => {
      const [pid = "", started = ""] = name.slice(note.length).split("-");
      return startOf(Number(pid)) === started;
    });

const make = (parent: string): string => {
  try {
    return mkdtempSync(join(parent, `${prefix()}${process.pid.toString()}-`));
  } catch (error) {
    throw new Problem(
      `${parent} takes no temporary files (${codeOf(error) ?? "?"}): set TMPDIR to a folder that exists and that you may write to`,
    );
  }
};

const prepare = (): void => {
  if (ready) return;
  ready = true;
  sweepPrivateFolders();
  // Also on SIGINT, SIGTERM and SIGHUP, unless the command handles them: then it ends by itself.
  onExit(() => {
    for (const folder of open) if (!isInUse(folder)) quietly(folder);
  });
};

const remove = (folder: string): void => {
  // A process that was killed a moment ago may still be writing its last file.
  rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 20 });
  open.delete(folder);
};

const namesIn = (folder: string): string[] => {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
};

/** If it cannot be removed, it belongs to another user. */
const quietly = (folder: string): void => {
  try {
    remove(folder);
  } catch {
    // A failure cannot be reported here.
  }
};

/** Process IDs of another machine or container mean nothing here, even in a shared folder. */
const prefix = (): string => `hearth-private-${hostname().replaceAll(/\W/g, "_")}-`;

/**
 * The runtime directory of the user, where it is one and has the space. Source: XDG Base Directory Specification: owned by the user, mode
 * 0700.
 */
const base = (space: number): string => {
  const runtime = process.env.XDG_RUNTIME_DIR;
  if (!runtime?.startsWith("/")) return tmpdir();
  const found = statSync(runtime, { throwIfNoEntry: false });
  const isPrivate = found?.isDirectory() === true && found.uid === userInfo().uid && (found.mode & 0o077) === 0;
  return isPrivate && (space === 0 || freeIn(runtime) >= space) ? runtime : tmpdir();
};

const freeIn = (folder: string): number => {
  const { bavail, bsize } = statfsSync(folder);
  return bavail * bsize;
};
