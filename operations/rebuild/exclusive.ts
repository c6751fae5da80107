import { withLease, type LeaseStore, type LeaseTimes } from "../../lib/engine/lease.ts";
import { withLock } from "../../toolchain/lock.ts";
import { Problem } from "../../toolchain/problem.ts";

export interface Exclusive {
  /** Path of the lock file, which names its owner. */
  lock: string;
  stack: string;
  /** Where all computers find the lease, asked once the lock is held. */
  leases: () => Promise<readonly LeaseStore[]>;
  signal: AbortSignal;
  print: (text: string) => void;
  /** @default the usual ones */
  times?: LeaseTimes;
}

/**
 * A rebuild that goes on is recognised within a minute. One that was killed on another computer keeps the next one waiting for five:
 * each renewal is a push to Git and a version of an object.
 */
const usual: LeaseTimes = { lapse: 300_000, renew: 60_000, pause: 5000, answer: 30_000 };

/**
 * Runs work while no other rebuild of the stack runs, from this checkout or from another computer.
 *
 * It takes over the lock of a killed rebuild of this checkout, but not the lock of another computer, since it cannot check whether that
 * rebuild has ended. The lease of another computer lapses. A destination that does not answer does not stop a rebuild: its computer may
 * be the one that is lost.
 *
 * @throws Problem if another rebuild runs, or may run
 */
export const exclusively = <T>(
  { lock, stack, leases, signal, print, times = usual }: Exclusive,
  work: (lost: AbortSignal) => Promise<T>,
): Promise<T> =>
  withLock(
    lock,
    async () => {
      const stores = await leases();
      const failed: string[] = [];
      let said = "";
      const live = (text: string): void => {
        if (text !== said) print(text);
        said = text;
      };
      const skip = (name: string, problem: string): void => {
        failed.push(name);
        print(`No lease in ${name}, so it keeps no other computer from rebuilding ${stack}: ${problem}`);
      };
      return withLease(stores, { what: `A rebuild of ${stack}`, times, live, signal, skip }, (lost) => {
        if (failed.length === stores.length)
          print(`No copy of the escrow holds a lease: see to it that no other computer rebuilds ${stack} now`);
        return work(lost);
      });
    },
    {
      onWait: (pid) => {
        throw new Problem(
          `A rebuild of ${stack} is under way, process ${pid.toString()}: wait until it ends, or interrupt it. Nothing was done. Where it ran ` +
            `on another computer that is gone, remove ${lock}`,
        );
      },
    },
  );
