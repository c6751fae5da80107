import type { ConfigurationProblem } from "../error.ts";

/** One use of something that only one may have. */
export interface Claim {
  path: PropertyKey[];
  /** The thing as it is compared, such as an address. */
  value: string;
  /** The thing as it is shown, where that is not its value. */
  shown?: string;
  /** Who has it, as a message names them. */
  owner: string;
  /** What to do for whoever claims it second. */
  advice: string;
}

/** A problem for every claim of what an earlier one has already. */
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
