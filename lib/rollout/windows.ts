import { days, type RolloutConfig } from "../../infra/config/rollout.ts";

const minute = 60_000;
const week = 7 * 24 * 60 * minute;

/**
 * When a machine may be taken out of service next; undefined if it may now.
 *
 * Each minute of the coming week is looked at as a clock on the wall shows it, so that a window is right on the days on which clocks change.
 */
export const nextWindow = ({ windows, timeZone }: RolloutConfig, now: Date): Date | undefined => {
  if (windows.length === 0) return undefined;
  const clock = clockIn(timeZone);
  const isOpen = (at: number): boolean => windows.some((window) => contains(window, clock(at)));
  if (isOpen(now.getTime())) return undefined;
  let at = Math.ceil(now.getTime() / minute) * minute;
  const end = at + week + 24 * 60 * minute;
  while (at < end && !isOpen(at)) at += minute;
  return new Date(at);
};

/** A time as a clock shows it: the day of the week from Monday, 0, and minutes since midnight. */
interface WallTime {
  day: number;
  minutes: number;
}

const clockIn = (timeZone: string): ((at: number) => WallTime) => {
  const format = new Intl.DateTimeFormat("en-GB", {
    ...({ timeZone, weekday: "short", hour: "2-digit", minute: "2-digit", hourCycle: "h23" } as const),
  });
  return (at) => {
    const parts = Object.fromEntries(format.formatToParts(at).map(({ type, value }) => [type, value]));
    const day = days.indexOf((parts.weekday ?? "").toLowerCase() as (typeof days)[number]);
    return { day, minutes: minutesOf(`${parts.hour ?? ""}:${parts.minute ?? ""}`) };
  };
};

const minutesOf = (time: string): number => {
  const [hour = 0, rest = 0] = time.split(":").map(Number);
  return hour * 60 + rest;
};

const contains = ({ days: named, from, to }: RolloutConfig["windows"][number], { day, minutes }: WallTime): boolean => {
  const begins = (on: number): boolean => named === undefined || named.includes(days[(on + 7) % 7] ?? "mon");
  const [start, end] = [minutesOf(from), minutesOf(to)];
  if (start < end) return begins(day) && minutes >= start && minutes < end;
  return (begins(day) && minutes >= start) || (begins(day - 1) && minutes < end);
};

/** A time as people write it, in the windows' time zone. */
export const describeTime = (at: Date, timeZone: string): string => {
  const format = new Intl.DateTimeFormat("en-GB", {
    ...({ timeZone, weekday: "long", day: "numeric", month: "long", hour: "2-digit", minute: "2-digit" } as const),
  });
  return `${format.format(at)} (${timeZone})`;
};
