import { readdir, readFile } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";

import { Problem } from "../../toolchain/problem.ts";
import { mayBeEngine } from "./processes.ts";

/** A holder of a state's lock. */
export interface LockHolder {
  user: string;
  host: string;
  pid: number;
  /** When, as the engine wrote it. */
  since: string;
}

/**
 * Returns the holders that the engine's message names; none if it is another message.
 *
 * Source: pulumi/pulumi 3.259, pkg/backend/diy/lock.go, checkForLock.
 */
export const lockHolders = (complaint: string): LockHolder[] =>
  [...complaint.matchAll(/created by (.+?)@(\S+) \(pid (\d+)\) at (\S+)/g)].map(
    ([, user = "", host = "", pid = "", since = ""]) => ({ user, host, pid: Number(pid), since }),
  );

/**
 * Returns the holders of a state in a folder of this computer. A lock in the folder was taken on this computer, even if the host
 * name has changed since: a container has another name each time.
 *
 * Source: pulumi/pulumi 3.259, pkg/backend/diy/lock.go, lockContent.
 *
 * @throws Problem for a lock that cannot be read
 */
export const lockHoldersIn = async (folder: string): Promise<LockHolder[]> => {
  const locks = join(folder, ".pulumi", "locks");
  const files = await readdir(locks, { recursive: true }).catch(() => []);
  return Promise.all(
    files
      .filter((file) => file.endsWith(".json"))
      .map(async (file) => {
        const path = join(locks, file);
        try {
          const lock = JSON.parse(await readFile(path, "utf8")) as { pid: number; username: string; timestamp: string };
          return { user: lock.username, host: hostname(), pid: lock.pid, since: lock.timestamp };
        } catch {
          throw new Problem(`${path}, a lock of the state, is damaged: remove it where no pulumi is running`);
        }
      }),
  );
};

/** A state that somebody else is changing, or whose engine was killed. */
export class Locked extends Problem {
  constructor(
    stack: string,
    private readonly holders: readonly LockHolder[],
  ) {
    const whose = holders.map(({ user, host, pid, since }) => `process ${pid} of ${user} on ${host} since ${since}`);
    super(
      `The state of ${stack} is locked by ${whose.join(" and ")}: wait until that ends; where it is gone already, ` +
        `take its lock away with pulumi cancel --stack ${stack}`,
    );
  }

  /** Process IDs of the engines that locked it. */
  get engines(): number[] {
    return this.holders.map(({ pid }) => pid);
  }

  /** Whether every holder ran on this computer and has ended. */
  async isStale(): Promise<boolean> {
    if (this.holders.some(({ host }) => host !== hostname())) return false;
    const running = await Promise.all(this.holders.map(({ pid }) => mayBeEngine(pid)));
    return !running.includes(true);
  }
}
