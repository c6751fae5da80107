import { randomUUID } from "node:crypto";
import { hostname } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";

import { Problem } from "../../toolchain/problem.ts";

/** Where a lease is kept. */
export interface LeaseStore {
  /** Undefined if there is none. */
  get: () => Promise<Held | undefined>;
  /** @throws Error if somebody created one meanwhile */
  create: (lease: Lease) => Promise<void>;
  /** @throws Error if somebody changed it since that version */
  replace: (lease: Lease, version: string) => Promise<void>;
  delete: () => Promise<void>;
}

export interface Lease {
  /** Who has it. */
  holder: string;
  /** When it was renewed last, by the holder's clock. */
  renewed: string;
}

export interface Held extends Lease {
  /** Another one after each change. */
  version: string;
}

/** In milliseconds. */
export interface LeaseTimes {
  /** A lease that was not renewed for so long has lapsed. Clocks differ, so it is watched for that time. */
  lapse: number;
  renew: number;
  pause: number;
}

const usual: LeaseTimes = { lapse: 60_000, renew: 15_000, pause: 2000 };

/**
 * Does work while no other rollout of the cluster does, from whichever computer.
 *
 * The lease of a run that was killed lapses by itself. It is renewed as often as the API allows, which may be away in a step.
 *
 * @param live names whom it waits for
 * @throws Problem if another run has it, and goes on
 */
export const withLease = async <T>(
  store: LeaseStore,
  live: (text: string) => void,
  work: () => Promise<T>,
  times: LeaseTimes = usual,
): Promise<T> => {
  const holder = `${hostname()} ${process.pid.toString()} ${randomUUID()}`;
  const lease = (): Lease => ({ holder, renewed: new Date().toISOString() });
  await acquire(store, lease, live, times);
  const renew = async (): Promise<void> => {
    const held = await store.get();
    if (held?.holder === holder) await store.replace(lease(), held.version);
  };
  const timer = setInterval(() => {
    renew().catch(() => undefined);
  }, times.renew);
  try {
    return await work();
  } finally {
    clearInterval(timer);
    const held = await store.get().catch(() => undefined);
    if (held?.holder === holder) await store.delete().catch(() => undefined);
  }
};

const acquire = async (
  store: LeaseStore,
  lease: () => Lease,
  live: (text: string) => void,
  { lapse, pause }: LeaseTimes,
): Promise<void> => {
  const first = await store.get();
  if (!first) return store.create(lease());
  const [host = "", pid = ""] = first.holder.split(" ");
  const who = `the rollout of process ${pid} on ${host}`;
  const deadline = Date.now() + lapse;
  while (Date.now() < deadline) {
    const now = await store.get();
    if (!now) return store.create(lease());
    if (now.version !== first.version)
      throw new Problem(
        `${who[0]?.toUpperCase() ?? ""}${who.slice(1)} is under way: wait until it ends, or interrupt it. Nothing was done`,
      );
    live(`Waiting for ${who}: it lapses if it was killed`);
    await sleep(pause);
  }
  await store.replace(lease(), first.version);
};
