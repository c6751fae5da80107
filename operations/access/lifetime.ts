import { Problem } from "../../toolchain/problem.ts";

const secondsIn = { m: 60, h: 3600, d: 86_400 } as const;

/** The longest time that a certificate is issued for: one year, as that of the administrator. */
const most = 365 * secondsIn.d;

/** Returns a time such as `30m`, `8h` or `30d` in seconds. */
export const lifetimeOf = (text: string): number => {
  const [, number, unit] = /^(\d+)([mhd])$/.exec(text) ?? [];
  const seconds = Number(number) * secondsIn[unit as keyof typeof secondsIn];
  if (!(seconds > 0)) throw new Problem(`--for ${text} is not a time: write one such as 30m, 8h or 30d`);
  if (seconds > most) throw new Problem(`--for ${text} is longer than a year: issue another when it ends`);
  return seconds;
};
