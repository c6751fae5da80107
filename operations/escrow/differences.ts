import { isDeepStrictEqual } from "node:util";

import type { Escrow } from "../../lib/secrets/escrow.ts";

/** Parts that date an escrow and are not content. */
const notContent = new Set(["createdAt"]);

/** Parts with one entry per name, for which the name is more precise than the part. */
const named = new Set(["passwords", "tunnels", "configured"]);

/** Names of the parts in which two escrows differ, such as `tunnels.den-dev`. Never a value. */
export const differences = (a: Escrow, b: Escrow): string[] =>
  keysOf(a, b)
    .filter((key) => !notContent.has(key))
    .flatMap((key) => {
      const [left, right] = [valueOf(a, key), valueOf(b, key)];
      if (isDeepStrictEqual(left, right)) return [];
      if (!named.has(key)) return [key];
      return keysOf(left, right).flatMap((name) =>
        isDeepStrictEqual(valueOf(left, name), valueOf(right, name)) ? [] : [`${key}.${name}`],
      );
    });

const keysOf = (a: unknown, b: unknown): string[] => [
  ...new Set([...Object.keys(a as object), ...Object.keys(b as object)]),
];

const valueOf = (of: unknown, key: string): unknown => (of as Record<string, unknown>)[key];
