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
