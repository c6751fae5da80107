import { withLease, type LeaseStore, type LeaseTimes } from "../../lib/engine/lease.ts";
import { leaseTimes } from "../deploy/under-lease.ts";
import type { Surroundings } from "./rotation.ts";

/**
 * Begins a rotation of what machines have while no rollout changes them. What it does has to say so in the state, for a rollout that begins
 * afterwards looks there.
 *
 * Where the API does not answer, nobody can tell: the rotation begins, and the person is told so.
 *
 * @param lease of rollouts
 * @throws Problem if a rollout goes on. Nothing was done then
 */
export const apartFromRollouts = <T>(
  lease: LeaseStore,
  {
    credentials: { live },
    signal,
    print,
  }: Pick<Surroundings, "signal" | "print"> & { credentials: { live: (text: string) => void } },
  begin: () => Promise<T>,
  times: LeaseTimes = leaseTimes,
): Promise<T> => {
  const skip = (store: string, problem: string): void => {
    print(`Nobody can tell whether a rollout goes on, for ${store} cannot be had: ${problem}`);
  };
  return withLease([lease], { what: "A rollout", times, live, signal, skip }, begin);
};
