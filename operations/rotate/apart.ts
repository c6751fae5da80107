import { withLease, type LeaseStore, type LeaseTimes } from "../../lib/engine/lease.ts";
import { rolloutUse } from "../deploy/under-lease.ts";
import type { Surroundings } from "./rotation.ts";

/**
 * Begins a rotation of what machines have while no rollout changes them. What it does has to say so in the state, for a rollout that begins
 * afterwards looks there.
 *
 * A step of a rollout takes the API of a cluster with one control plane away, so where that does not answer, nothing begins.
 *
 * @param lease of rollouts
 * @throws Problem if a rollout goes on, or nobody can tell. Nothing was done then
 */
export const apartFromRollouts = <T>(
  lease: LeaseStore,
  { credentials: { live }, signal }: Pick<Surroundings, "signal"> & { credentials: { live: (text: string) => void } },
  begin: () => Promise<T>,
  times: LeaseTimes = rolloutUse.times,
): Promise<T> => withLease([lease], { ...rolloutUse, times, live, signal }, begin);
