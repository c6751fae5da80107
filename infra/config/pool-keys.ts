import { z } from "zod";

import { says } from "./error.ts";
import { address } from "./values.ts";

const ends = (range: string): string[] => range.split("-");

const addressRange = z
  .string(says("is not a range of addresses", "write the first and the last, such as 10.20.0.21-10.20.0.60"))
  .refine(
    (range) => ends(range).length === 2 && ends(range).every((end) => address.safeParse(end).success),
    says("is not a range of addresses", "write the first and the last, such as 10.20.0.21-10.20.0.60"),
  );

const serial = z.int().min(1, says("is no serial number", "give at least 1"));

/** The keys of a pool of machines on any platform, beside those that its nodes share. */
export const poolKeys = {
  /** Number of its machines, from the first serial number on. Those that are skipped count too. @example 30 */
  count: z.int().min(1, says("is no number of machines", "give at least 1")),
  /** Serial number of its first machine. @default 1 */
  first: serial.default(1),
  /** Serial numbers without a machine, such as of one that is gone. The others keep what they have. */
  skip: z.array(serial).default([]),
  /** First and last address of its machines, one after the other by their serial number. @example "10.20.0.21-10.20.0.60" */
  addresses: addressRange,
};

/** What only single nodes have; a pool gives each of its nodes its own. */
export const singleKeys = { address: true, mac: true, renamedFrom: true } as const;

/** Returns an object without some of its keys. */
export const without = (value: object, ...keys: string[]): Record<string, unknown> =>
  Object.fromEntries(Object.entries(value).filter(([key]) => !keys.includes(key)));

/** A pool as its platform reads it. */
export type PoolKeys = z.output<z.ZodObject<typeof poolKeys>>;

/** Something of which each machine of a pool takes one. */
export interface PoolRoom {
  /** Path in the pool. */
  path: PropertyKey[];
  /** What there is, as a message names it. */
  what: string;
  size: number;
}
