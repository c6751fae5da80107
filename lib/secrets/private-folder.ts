import { mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import { hostname, tmpdir, userInfo } from "node:os";
import { join } from "node:path";

import { onExit } from "signal-exit";

import { isRunning } from "../../toolchain/running.ts";

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
  prepare();
  const folder = mkdtempSync(join(base(), `${prefix()}${process.pid.toString()}-`));
  open.add(folder);
  try {
    return await work(folder);
  } finally {
    remove(folder);
  }
};

/** Removes the private folders of processes that have ended, but not those of other users or machines. */
export const sweepPrivateFolders = (): void => {
  for (const each of new Set([base(), tmpdir()])) {
    for (const name of namesIn(each).filter((entry) => entry.startsWith(prefix()))) {
      const pid = Number(name.slice(prefix().length).split("-")[0]);
      if (Number.isInteger(pid) && pid > 0 && !isRunning(pid)) quietly(join(each, name));
    }
  }
};

const prepare = (): void => {
  if (ready) return;
  ready = true;
  sweepPrivateFolders();
  // Also on SIGINT, SIGTERM and SIGHUP, unless the command handles them: then it ends by itself.
  onExit(() => {
    for (const folder of open) quietly(folder);
  });
};

const remove = (folder: string): void => {
  rmSync(folder, { recursive: true, force: true });
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

/** The runtime directory of the user, where it is one. Source: XDG Base Directory Specification: owned by the user, mode 0700. */
const base = (): string => {
  const runtime = process.env.XDG_RUNTIME_DIR;
  if (!runtime?.startsWith("/")) return tmpdir();
  const found = statSync(runtime, { throwIfNoEntry: false });
  return found?.isDirectory() === true && found.uid === userInfo().uid && (found.mode & 0o077) === 0
    ? runtime
    : tmpdir();
};
