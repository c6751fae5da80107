import { setTimeout as sleep } from "node:timers/promises";

import { isGoneFromHere, newOwner, readOwner } from "../../toolchain/owner.ts";
import { messageOf, Problem } from "../../toolchain/problem.ts";

/** Who does something that nobody else may do at the same time. Its times are for people: clocks differ, so none is compared. */
export interface Lease {
  /** The process that has it. Empty after it was given back. */
  holder: string;
  /** When it was taken. */
  acquired: string;
  /** When it was renewed last. */
  renewed: string;
  /** It lapses if it is not renewed for so many seconds. */
  duration: number;
}

export interface Held extends Lease {
  /** Another one after each change. */
  version: string;
}

/** Where a lease is kept, for all computers that can reach it. */
export interface LeaseStore {
  /** Name in messages. */
  name: string;
  /** Undefined if there never was one. */
  get: () => Promise<Held | undefined>;
  /** @throws Error if somebody created one meanwhile */
  create: (lease: Lease) => Promise<void>;
  /** @throws Error if somebody changed it since that version */
  replace: (lease: Lease, version: string) => Promise<void>;
}

/** In milliseconds. */
export interface LeaseTimes {
  /** A lease that was not renewed for so long lapses. */
  lapse: number;
  renew: number;
  /** Time between two looks at another's lease. */
  pause: number;
  /** How long a store may take to answer. */
  answer: number;
}

export interface LeaseUse {
  /** What a holder does, as "A rollout". */
  what: string;
  times: LeaseTimes;
  /** Names whom it waits for. */
  live: (text: string) => void;
  /** Ends waiting for another's lease. */
  signal: AbortSignal;
  /** What has to answer for a store, in messages. @default the store */
  server?: string;
  /** Called with each store that fails, which is then done without. @default nothing is done */
  skip?: (store: string, problem: string) => void;
}

/** What may be done about a lease: take it, look again later, or stop. */
export type Verdict = "free" | "unknown" | "held";

/** The longest time that a lease of somebody else's is watched, in milliseconds, whatever its duration says. */
const longest = 600_000;

/** Whether nobody has a lease. */
const isFree = (held: Held | undefined): held is undefined => held === undefined || held.holder === "";

/**
 * Judges a lease that somebody had, after it was watched.
 *
 * One that was renewed meanwhile has a living holder. One that was not may be of a killed run, which is known when its holder is proven
 * gone, or when its duration has passed while this computer watched.
 *
 * @param watched milliseconds since `first` was seen
 */
export const verdict = (
  first: Held,
  now: Held | undefined,
  { watched, isGone }: { watched: number; isGone: boolean },
): Verdict => {
  if (isFree(now)) return "free";
  if (now.version !== first.version) return "held";
  return isGone || watched >= Math.min(now.duration * 1000, longest) ? "free" : "unknown";
};

/** A lease that this process has. */
interface Own {
  store: LeaseStore;
  holder: string;
  acquired: string;
}

/**
 * Does work while nobody else does the same, from whichever computer.
 *
 * All stores are watched at once, and then taken one after the other, in an order that is everybody's, so that of two at once one gets
 * all. The lease of a run that was killed lapses by itself.
 *
 * @param work gets a signal that is aborted if somebody else took a lease over, for instance because this computer slept
 * @throws Problem if somebody else has a lease, and goes on, or if nobody can tell
 */
export const withLease = async <T>(
  stores: readonly LeaseStore[],
  use: LeaseUse,
  work: (lost: AbortSignal) => Promise<T>,
): Promise<T> => {
  const holder = await newOwner();
  const own = await acquire(stores, holder, use);
  const [ended, lost] = [new AbortController(), new AbortController()];
  const renewing = keepRenewing(own, use, ended.signal, (by) => {
    lost.abort(new Problem(`${use.what} was begun by ${describeHolder(by)}, which took over the lease of this one`));
  });
  try {
    return await work(lost.signal);
  } finally {
    ended.abort();
    await renewing;
    await release(own, use);
  }
};

const acquire = async (stores: readonly LeaseStore[], holder: string, use: LeaseUse): Promise<Own[]> => {
  const failed = new AbortController();
  const signal = AbortSignal.any([use.signal, failed.signal]);
  const skip = (store: LeaseStore) => (error: unknown) => {
    use.signal.throwIfAborted();
    if (error instanceof Taken) throw error;
    if (!use.skip) throw unknown(use, store, error);
    if (!signal.aborted) use.skip(store.name, messageOf(error));
    return undefined;
  };
  const own: Own[] = [];
  try {
    const watched = await Promise.all(
      stores.map(async (store) => {
        const seen = await watch(store, use, signal)
          .then((found) => ({ found }))
          .catch(skip(store));
        return { store, seen };
      }),
    );
    for (const { store, seen } of watched) {
      if (seen === undefined) continue;
      const taken = await take(store, seen.found, holder, use).catch(skip(store));
      if (taken) own.push(taken);
    }
    return own;
  } catch (error) {
    failed.abort();
    await release(own, use);
    throw error;
  }
};

/** Somebody else has the lease. */
class Taken extends Problem {
  constructor({ what }: LeaseUse, { name }: LeaseStore, held: Held) {
    const minutes = Math.ceil(Math.min(held.duration * 1000, longest) / 60_000).toString();
    super(
      `${what} is under way, by ${describeHolder(held)}; ${name} has its lease. Wait until it ends, or interrupt it there. ` +
        `If it was killed, its lease lapses within ${minutes} min, and this can be run again. Nothing was done`,
    );
  }
}

/** Nobody can tell whether somebody else has the lease. */
const unknown = ({ what, server }: LeaseUse, { name }: LeaseStore, error: unknown): Problem =>
  new Problem(
    `${what} may be under way, for ${name} cannot be had: ${messageOf(error)}. Nothing was done. ` +
      `Run this again when ${server ?? name} answers`,
  );

/** Waits until a lease is free. A store that fails meanwhile is still known to have somebody's. */
const watch = async (store: LeaseStore, use: LeaseUse, signal: AbortSignal): Promise<Held | undefined> => {
  const { pause, answer } = use.times;
  const first = await within(answer, store, store.get());
  if (isFree(first)) return first;
  const begun = Date.now();
  for (let now: Held | undefined = first; ; now = await within(answer, store, store.get()).catch(() => first)) {
    const owner = now && readOwner(now.holder);
    const isGone = owner !== undefined && (await isGoneFromHere(owner));
    const judged = verdict(first, now, { watched: Date.now() - begun, isGone });
    if (judged === "free" || now === undefined) return now;
    if (judged === "held") throw new Taken(use, store, now);
    use.live(`Waiting for ${describeHolder(now)}, whose lease ${store.name} has: it lapses if that was killed`);
    await sleep(pause, undefined, { signal });
  }
};

/** Writes the own lease in place of the one that was found free. An answer may be lost, so what counts is what the store then has. */
const take = async (
  store: LeaseStore,
  found: Held | undefined,
  holder: string,
  use: LeaseUse,
): Promise<Own | undefined> => {
  const { answer } = use.times;
  const own = { store, holder, acquired: new Date().toISOString() };
  const lease = leaseOf(own, use);
  const write = found === undefined ? store.create(lease) : store.replace(lease, found.version);
  const failure = await within(answer, store, write).then(
    () => undefined,
    (error: unknown) => (error instanceof Error ? error : new Error(String(error))),
  );
  const now = await within(answer, store, store.get());
  if (now?.holder === holder) return own;
  const isOther = now?.version !== found?.version;
  if (!isFree(now) && isOther) throw new Taken(use, store, now);
  // Somebody was faster, and has given it back already.
  if (failure !== undefined && isOther) return take(store, now, holder, use);
  throw failure ?? new Problem(`${store.name} does not have what was written to it`);
};

const leaseOf = ({ holder, acquired }: Own, { times }: LeaseUse): Lease => ({
  holder,
  acquired,
  renewed: new Date().toISOString(),
  duration: times.lapse / 1000,
});

/** Renews leases until work has ended. A store that does not answer is asked again the next time: it may be away for a step. */
const keepRenewing = async (
  own: readonly Own[],
  use: LeaseUse,
  ended: AbortSignal,
  onLost: (by: Held) => void,
): Promise<void> => {
  const { renew, answer } = use.times;
  for (;;) {
    await sleep(renew, undefined, { signal: ended }).catch(() => undefined);
    if (ended.aborted) return;
    await Promise.allSettled(
      own.map(async (each) => {
        const { store, holder } = each;
        const held = await within(answer, store, store.get());
        if (held?.holder === holder) await within(answer, store, store.replace(leaseOf(each, use), held.version));
        else if (!isFree(held)) onLost(held);
      }),
    );
  }
};

/** Gives leases back, but none that somebody else has. What cannot be given back lapses. */
const release = async (own: readonly Own[], use: LeaseUse): Promise<void> => {
  const { answer } = use.times;
  await Promise.allSettled(
    own.map(async (each) => {
      const { store, holder } = each;
      const held = await within(answer, store, store.get());
      if (held?.holder !== holder) return;
      await within(answer, store, store.replace({ ...leaseOf(each, use), holder: "" }, held.version));
    }),
  );
};

const within = async <T>(limit: number, { name }: LeaseStore, work: Promise<T>): Promise<T> => {
  const timer = new AbortController();
  const late = async (): Promise<never> => {
    await sleep(limit, undefined, { signal: timer.signal });
    throw new Problem(`${name} did not answer for ${Math.ceil(limit / 1000).toString()} s`);
  };
  try {
    return await Promise.race([work, late()]);
  } finally {
    timer.abort();
  }
};

/** Names a holder: its process, its computer and since when. */
const describeHolder = ({ holder, acquired }: Lease): string => {
  const owner = readOwner(holder);
  const who = owner
    ? `process ${owner.pid.toString()} on ${owner.host ?? "an unknown computer"}`
    : "an unknown process";
  return /^\d{4}-\d\d-\d\dT/.test(acquired) ? `${who} since ${acquired.slice(0, 16).replace("T", " ")} UTC` : who;
};
