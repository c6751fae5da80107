import { createHash, randomUUID } from "node:crypto";
import { link, mkdir, open, rm, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { isGone, newOwner, readOwner } from "./owner.ts";
import { codeOf } from "./problem.ts";

/** A lock file's content when it was read. */
interface Held {
  content: string;
  pid: number;
  /** Identifies this lock, as opposed to a later one at the same path. */
  id: string;
}

const read = async (path: string): Promise<Held | undefined> => {
  const file = await open(path, "r").catch((error: unknown) => {
    if (codeOf(error) === "ENOENT") return undefined;
    throw error;
  });
  if (file === undefined) return undefined;
  try {
    const content = await file.readFile("utf8");
    const { ino } = await file.stat();
    const id = createHash("sha256").update(`${ino.toString()} ${content}`).digest("hex").slice(0, 16);
    return { content, pid: Number(content.split(" ")[0]), id };
  } finally {
    await file.close();
  }
};

/** Whether a lock's process is proven to be gone. A process that cannot be checked from here counts as running. */
const isStale = async ({ content }: Held): Promise<boolean> => {
  const owner = readOwner(content);
  return owner === undefined || isGone(owner);
};

/** Creates the lock file atomically: it is written beside its path and then linked, which fails if the path exists. */
const tryToTake = async (path: string): Promise<boolean> => {
  const draft = `${path}.${randomUUID()}`;
  try {
    await writeFile(draft, await newOwner(), { flag: "wx", mode: 0o600 });
    await link(draft, path);
    return true;
  } catch (error) {
    if (codeOf(error) === "EEXIST") return false;
    throw error;
  } finally {
    await rm(draft, { force: true });
  }
};

export interface LockOptions {
  /** Called once when another process holds the lock, with that process's ID. */
  onWait?: (pid: number) => void;
  /** Time between attempts, in milliseconds. */
  interval?: number;
}

/**
 * Runs work while holding the lock file at path, so that no two processes do the same work at the same time.
 *
 * Only one process may remove a stale lock: the one that holds a second lock, whose name contains the first one's ID. So the
 * removed lock is always the one that was seen to be stale.
 */
export const withLock = async <T>(path: string, work: () => Promise<T>, options: LockOptions = {}): Promise<T> => {
  const { interval = 500 } = options;
  await mkdir(dirname(path), { recursive: true });
  for (let announced = false; !(await tryToTake(path));) {
    let holder = await read(path);
    if (holder?.content === "") {
      // The file exists but is still empty. Wait for its process to write it, then read it again.
      await sleep(interval);
      holder = await read(path);
    }
    if (holder === undefined) continue;
    if (await isStale(holder)) {
      await removeStale(path, holder, interval);
    } else {
      if (!announced) options.onWait?.(holder.pid);
      announced = true;
      await sleep(interval);
    }
  }
  try {
    return await work();
  } finally {
    await rm(path, { force: true });
  }
};

const removeStale = (path: string, stale: Held, interval: number): Promise<void> =>
  withLock(
    `${path}.${stale.id}`,
    async () => {
      if ((await read(path))?.id === stale.id) await rm(path, { force: true });
    },
    { interval },
  );
