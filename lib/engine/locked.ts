import { hostname } from "node:os";

import { Problem } from "../../toolchain/problem.ts";
import { isRunning } from "../../toolchain/running.ts";

/** Who has locked a state. */
export interface LockHolder {
  user: string;
  host: string;
  pid: number;
  /** When, as the engine wrote it. */
  since: string;
}

/**
 * Who has locked a state, by what the engine says of it; nobody where it says something else.
 *
 * Source: pulumi/pkg, backend/diy/lock.go, checkForLock.
 */
export const lockHolders = (complaint: string): LockHolder[] =>
  [...complaint.matchAll(/created by (.+?)@(\S+) \(pid (\d+)\) at (\S+)/g)].map(
    ([, user = "", host = "", pid = "", since = ""]) => ({ user, host, pid: Number(pid), since }),
  );

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

  /** Whether all that locked it ran on this computer, and are gone. */
  get isStale(): boolean {
    return this.holders.every(({ host, pid }) => host === hostname() && !isRunning(pid));
  }
}
