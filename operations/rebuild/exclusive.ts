import { withLock } from "../../toolchain/lock.ts";
import { Problem } from "../../toolchain/problem.ts";

/**
 * Does work while no other rebuild of the stack runs from this checkout. The lock of one that was killed is taken over; that of another
 * computer is not, for whether that rebuild is gone cannot be seen from here.
 *
 * @param path of the lock file, which names its owner
 * @throws Problem where another rebuild runs, or may
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
