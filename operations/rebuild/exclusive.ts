import { withLock } from "../../toolchain/lock.ts";
import { Problem } from "../../toolchain/problem.ts";

/**
 * Runs work while no other rebuild of the stack runs from this checkout. It takes over the lock of a killed rebuild, but not the
 * lock of another computer, since it cannot check whether that rebuild has ended.
 *
 * @param path of the lock file, which names its owner
 * @throws Problem if another rebuild runs, or may run
 */
export const exclusively = <T>(path: string, stack: string, work: () => Promise<T>): Promise<T> =>
  withLock(path, work, {
    onWait: (pid) => {
      throw new Problem(
        `A rebuild of ${stack} is under way, process ${pid.toString()}: wait until it ends, or interrupt it. Nothing was done. Where it ran ` +
          `on another computer that is gone, remove ${path}`,
      );
    },
  });
