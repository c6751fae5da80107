/** How something was found when it was asked. What could not be asked is unknown, and what is not there is none. */
export type State = "up" | "down" | "unknown" | "none";

/** One reading of something. Times are milliseconds since the measuring began. */
export interface Sample {
  /** When it was asked. */
  at: number;
  is: State;
}

/** What is measured. */
export type Kind = "machine" | "node" | "api" | "etcd" | "route" | "edge" | "flux";

/** One thing that is measured, with its samples in the order of their times. */
export interface Track {
  kind: Kind;
  /** @example "den-dev-wk01" */
  name: string;
  samples: readonly Sample[];
}

export interface Interval {
  from: number;
  to: number;
}

/** A time in which something did not serve. */
export interface Outage extends Interval {
  /** Whether it served again before the measuring ended, or was taken away. */
  isOver: boolean;
}

/**
 * Returns the outages that samples show: each from the first sample that is down to the next that is not.
 *
 * What was not up before, or was taken away, is not out: it has not come yet. A sample that is unknown neither begins an outage nor ends one.
 *
 * @param end when the measuring ended
 */
export const outagesOf = (samples: readonly Sample[], end: number): Outage[] => {
  const found: Outage[] = [];
  let began: number | undefined;
  let wasUp = false;
  for (const { at, is } of samples) {
    if (is === "unknown") continue;
    if (is === "down") {
      if (wasUp) began ??= at;
      continue;
    }
    if (began !== undefined) found.push({ from: began, to: at, isOver: true });
    began = undefined;
    wasUp = is === "up";
  }
  if (began !== undefined) found.push({ from: began, to: Math.max(end, began), isOver: false });
  return found;
};

/** Times in which something could not be asked. */
export const unknownTimes = (samples: readonly Sample[], end: number): Interval[] =>
  united(
    samples.flatMap(({ at, is }, index) =>
      is === "unknown" ? [{ from: at, to: samples[index + 1]?.at ?? Math.max(end, at) }] : [],
    ),
  );

/** Intervals in order, those that touch as one. */
export const united = (intervals: readonly Interval[]): Interval[] => {
  const all: Interval[] = [];
  for (const { from, to } of [...intervals].sort((a, b) => a.from - b.from)) {
    const last = all.at(-1);
    if (last !== undefined && from <= last.to) last.to = Math.max(last.to, to);
    else all.push({ from, to });
  }
  return all;
};

/** How many of several things were out at once at most, which those were, and for how long that was so at a time. */
export interface AtOnce {
  names: string[];
  milliseconds: number;
}

/** Returns the most things that were out at the same time. Of several such times the longest counts. */
export const atOnce = (out: Readonly<Record<string, readonly Interval[]>>): AtOnce => {
  const edges = [...new Set(Object.values(out).flatMap((each) => each.flatMap(({ from, to }) => [from, to])))].sort(
    (a, b) => a - b,
  );
  let most: AtOnce = { names: [], milliseconds: 0 };
  for (const [index, from] of edges.entries()) {
    const to = edges[index + 1];
    if (to === undefined) break;
    const names = Object.keys(out).filter((name) => out[name]?.some((each) => each.from <= from && each.to >= to));
    const isMore = names.length > most.names.length;
    if (isMore || (names.length === most.names.length && names.length > 0 && to - from > most.milliseconds))
      most = { names, milliseconds: to - from };
  }
  return most;
};

/** The length of the longest interval, in milliseconds. */
export const longest = (intervals: readonly Interval[]): number =>
  intervals.reduce((most, { from, to }) => Math.max(most, to - from), 0);

/** Whether two intervals share a moment. */
export const overlap = (one: Interval, other: Interval): boolean => one.from < other.to && other.from < one.to;
