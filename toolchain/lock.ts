import { mkdir, open, readFile, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { codeOf } from "./problem.ts";

/** Who holds a lock: a process is known by its ID and its start, because IDs come round again. */
const identity = async (pid: number): Promise<string> => {
  const stat = await readFile(`/proc/${pid.toString()}/stat`, "utf8").catch(() => "");
  const started = stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19] ?? "";
  return `${pid.toString()} ${started}`;
};

const isAlive = async (holder: string): Promise<boolean> => {
  const pid = Number(holder.split(" ")[0]);
  if (!Number.isInteger(pid) || pid <= 0) return false;
  try {
    process.kill(pid, 0);
  } catch (error) {
    if (codeOf(error) === "ESRCH") return false;
  }
  return (await identity(pid)) === holder;
};

const tryToTake = async (path: string): Promise<boolean> => {
  try {
    const file = await open(path, "wx", 0o600);
    await file.writeFile(await identity(process.pid));
    await file.close();
    return true;
  } catch (error) {
    if (codeOf(error) === "EEXIST") return false;
    throw error;
  }
};

export interface LockOptions {
  /** Called once when another process holds the lock, with that process's ID. */
  onWait?: (pid: number) => void;
  /** Time between two tries, in milliseconds. */
  interval?: number;
}

/**
 * Runs work while holding the lock file at path, so that two processes do not do the same thing.
 *
 * A lock whose process is gone is taken over. Two processes that find the same stale lock at the same moment may both
 * go on; what they do must be harmless when done twice.
 */
export const withLock = async <T>(path: string, work: () => Promise<T>, options: LockOptions = {}): Promise<T> => {
  await mkdir(dirname(path), { recursive: true });
  for (let announced = false; !(await tryToTake(path));) {
    const holder = await readFile(path, "utf8").catch(() => undefined);
    if (holder === undefined) continue;
    if (holder === "") {
      // Made, but not yet written: give its process a moment, then read it again.
      await sleep(options.interval ?? 500);
      if ((await readFile(path, "utf8").catch(() => undefined)) === "") await rm(path, { force: true });
    } else if (await isAlive(holder)) {
      if (!announced) options.onWait?.(Number(holder.split(" ")[0]));
      announced = true;
      await sleep(options.interval ?? 500);
    } else {
      await rm(path, { force: true });
    }
  }
  try {
    return await work();
  } finally {
    await rm(path, { force: true });
  }
};
