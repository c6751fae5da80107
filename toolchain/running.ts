import { existsSync, readFileSync } from "node:fs";

import { codeOf } from "./problem.ts";

/** Whether a process with this ID exists, even if it belongs to another user. */
export const isRunning = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return codeOf(error) !== "ESRCH";
  }
};

/**
 * Returns when a process started, as its system counts, because process IDs are reused. Empty if the system does not report it, undefined
 * if there is no such process or it has ended and only waits to be reaped. Source: proc_pid_stat(5), fields 3 and 22.
 */
export const startOf = (pid: number): string | undefined => {
  if (!existsSync("/proc/self/stat")) return isRunning(pid) ? "" : undefined;
  try {
    const stat = readFileSync(`/proc/${pid.toString()}/stat`, "utf8");
    const [state = "", ...rest] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return "ZX".includes(state) ? undefined : rest[18];
  } catch {
    // Another user's process may be hidden.
    return isRunning(pid) ? "" : undefined;
  }
};
