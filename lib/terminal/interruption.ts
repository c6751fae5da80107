import { Problem } from "../../toolchain/problem.ts";

/** Aborted when the person, or the computer that shuts down, wants the command to stop. A second signal ends the command at once. */
export const interruption = (message: string): AbortSignal => {
  const abort = new AbortController();
  for (const name of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    const listener = (): void => {
      abort.abort(new Problem(message));
      // Not before all listeners were called: while other programs run, execa's ends this process if it is the only one that is left.
      // Source: signal-exit 4.1.0, `listeners.length === count`.
      setImmediate(() => process.off(name, listener));
    };
    process.on(name, listener);
  }
  return abort.signal;
};
