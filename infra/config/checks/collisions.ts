import type { ConfigurationProblem } from "../error.ts";

/** A claim to something that only one owner may have. */
export interface Claim {
  path: PropertyKey[];
  /** The value to compare, such as an address. */
  value: string;
  /** The text to show. @default the value */
  shown?: string;
  /** The owner, as a message names it. */
  owner: string;
  /** What to do about the second claim. */
  advice: string;
}

/** Returns a problem for every claim to a value that an earlier claim already has. */
export const collisions = (claims: Claim[]): ConfigurationProblem[] => {
  const owners = new Map<string, string>();
  return claims.flatMap(({ path, value, shown = value, owner, advice }) => {
    const earlier = owners.get(value);
    if (earlier === undefined) {
      owners.set(value, owner);
      return [];
    }
    return [{ path, problem: `${shown} is also ${earlier}`, advice }];
  });
};
