import type { Kind, Sample, State, Track } from "./outages.ts";

/** How one thing was found. */
export interface Reading {
  kind: Kind;
  name: string;
  is: State;
  /** On how many nodes what serves it is ready, where that is known. */
  nodes?: number;
}

/** Something that is asked again and again. It always answers: what it could not ask is a reading too. */
export interface Ask {
  /** Milliseconds from one asking to the next. An answer that takes longer does not hold up the next asking. */
  every: number;
  ask: () => Promise<Reading[]>;
}

/** What one run of a prober found. */
export interface Found {
  tracks: Track[];
  /** On how many nodes things were ready when the measuring began, by their names. */
  spread: Record<string, number>;
  /** Milliseconds that were measured. */
  end: number;
  /** The longest time by which this process was late to ask, in milliseconds. Times are as exact as that. */
  delay: number;
}

/** Asks how things are, again and again, and keeps what it found. */
export class Prober {
  private readonly timers: NodeJS.Timeout[] = [];
  private readonly latest = new Map<string, Reading & { at: number }>();
  private readonly samples = new Map<string, { kind: Kind; name: string; samples: Sample[] }>();
  private readonly spread = new Map<string, number>();
  private began: number;
  private delay = 0;

  constructor(
    asks: readonly Ask[],
    private readonly now: () => number = () => performance.now(),
  ) {
    this.began = now();
    for (const each of asks) this.start(each);
  }

  /** What was not in service when it was asked last, and what was never asked. */
  missing(): Reading[] {
    return [...this.latest.values()].filter(({ is }) => is === "down" || is === "unknown");
  }

  /** Whether everything was asked at least once. */
  hasAsked(kinds: readonly Kind[]): boolean {
    return kinds.every((kind) => [...this.latest.values()].some((reading) => reading.kind === kind));
  }

  /** Begins to measure, with what was found last. What was found before is forgotten. */
  begin(): void {
    this.began = this.now();
    this.delay = 0;
    this.samples.clear();
    this.spread.clear();
    for (const reading of this.latest.values()) {
      this.keep(reading, 0);
      if (reading.nodes !== undefined) this.spread.set(reading.name, reading.nodes);
    }
  }

  /** Milliseconds since the measuring began. */
  get elapsed(): number {
    return this.now() - this.began;
  }

  /** What was found since the measuring began. */
  found(): Found {
    return {
      tracks: [...this.samples.values()].map(({ samples, ...track }) => ({
        ...track,
        samples: [...samples].sort((a, b) => a.at - b.at),
      })),
      spread: Object.fromEntries(this.spread),
      end: this.elapsed,
      delay: this.delay,
    };
  }

  /** Ends the asking. */
  stop(): void {
    for (const timer of this.timers) clearInterval(timer);
  }

  private start({ every, ask }: Ask): void {
    let due = this.now();
    const once = async (): Promise<void> => {
      const at = this.now();
      this.delay = Math.max(this.delay, at - due);
      due = at + every;
      for (const reading of await ask()) this.take(reading, at);
    };
    void once();
    this.timers.push(setInterval(() => void once(), every));
  }

  private take(reading: Reading, at: number): void {
    const key = `${reading.kind}/${reading.name}`;
    if ((this.latest.get(key)?.at ?? -Infinity) <= at) this.latest.set(key, { ...reading, at });
    // An answer to what was asked before the measuring began says nothing about it.
    if (at >= this.began) this.keep(reading, at - this.began);
  }

  private keep({ kind, name, is }: Reading, at: number): void {
    const key = `${kind}/${name}`;
    const track = this.samples.get(key) ?? { kind, name, samples: [] };
    track.samples.push({ at, is });
    this.samples.set(key, track);
  }
}

/** Keeps what was once there among the readings: as taken away, where an answer does not have it any more. */
export const withAbsent = (
  seen: Map<string, Pick<Reading, "kind" | "name">>,
  readings: readonly Reading[],
  absent: State,
): Reading[] => {
  const keyOf = ({ kind, name }: Pick<Reading, "kind" | "name">): string => `${kind}/${name}`;
  const now = new Set(readings.map(keyOf));
  for (const { kind, name } of readings) seen.set(keyOf({ kind, name }), { kind, name });
  return [
    ...readings,
    ...[...seen.values()].filter((each) => !now.has(keyOf(each))).map((each) => ({ ...each, is: absent })),
  ];
};
