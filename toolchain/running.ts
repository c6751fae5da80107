import { codeOf } from "./problem.ts";

/** Whether there is a process of that ID; another user's counts as well. */
export const isRunning = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return codeOf(error) !== "ESRCH";
  }
};
