import { Problem } from "../../toolchain/problem.ts";

/** Aborted when the person, or the computer that shuts down, wants the command to stop. */
export const interruption = (message: string): AbortSignal => {
  const abort = new AbortController();
  for (const name of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    process.once(name, () => {
      abort.abort(new Problem(message));
    });
  }
  return abort.signal;
};
