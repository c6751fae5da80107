import type { FluxHealth } from "../../lib/cluster/flux-health.ts";
import { duration } from "../../lib/terminal/display.ts";
import { Problem } from "../../toolchain/problem.ts";
import type { PromotedBranch } from "./branch.ts";

/** What becomes of the branch. */
export type Decision =
  | { outcome: "move"; to: string; commits: string[] }
  | { outcome: "nothing"; reason: string }
  /** It is too early, or the first stack is not well. */
  | { outcome: "wait"; reason: string };

export interface Promotion {
  /** The stack that runs commits first. */
  from: string;
  /** The stack whose branch is moved. */
  stack: string;
  /** For how long the first one has to be well, in milliseconds. */
  healthyFor: number;
  /** Whether a commit counts that the stack was taken back from. */
  again: boolean;
}

/** The first 10 digits of a commit. */
export const short = (commit: string): string => commit.slice(0, 10);

/**
 * Decides about the commit that the first stack runs.
 *
 * @param now in milliseconds
 */
export const decide = async (
  branch: Pick<PromotedBranch, "commits" | "commit" | "descends" | "between">,
  health: FluxHealth,
  { from, stack, healthyFor, again }: Promotion,
  now: number,
): Promise<Decision> => {
  const { commit, failures, isBusy, since } = health;
  if (commit === undefined) return { outcome: "wait", reason: `${from} has fetched no commit yet` };
  const { target, refused } = branch.commits;
  if (commit === target) return { outcome: "nothing", reason: `${stack} has ${short(commit)}, as ${from} has` };
  if (commit === refused && !again) {
    return {
      outcome: "nothing",
      reason: `${stack} was taken back from ${short(commit)}, which ${from} still runs: push what mends it, or give --again`,
    };
  }
  if ((await branch.commit(commit)) === undefined) {
    return { outcome: "wait", reason: `${from} runs ${short(commit)}, which its branch does not have any more` };
  }
  if (target !== undefined && !(await branch.descends(commit, target))) {
    throw new Problem(
      `${short(commit)}, which ${from} runs, does not come after ${short(target)}, which ${stack} has: ` +
        `merge them in ${from}'s branch, or go back on purpose with --back ${short(commit)}`,
    );
  }
  if (failures.length > 0)
    return { outcome: "wait", reason: `${from} is not well with ${short(commit)}: ${failures.join("; ")}` };
  if (isBusy) return { outcome: "wait", reason: `${from} is still applying ${short(commit)}` };
  const well = now - since;
  if (well < healthyFor) {
    const far = well > 0 ? inWords(well) : "no time";
    return {
      outcome: "wait",
      reason: `${from} has run ${short(commit)} healthily for ${far} of ${inWords(healthyFor)}`,
    };
  }
  return { outcome: "move", to: commit, commits: target === undefined ? [] : await branch.between(target, commit) };
};

/** A time in words, hours as such. */
const inWords = (milliseconds: number): string =>
  milliseconds < 7_200_000 ? duration(Math.round(milliseconds / 1000)) : `${(milliseconds / 3_600_000).toFixed(1)} h`;

/**
 * Finds the commit that a branch goes back to.
 *
 * @param asked what a person names; the commit before the last promotion unless they do
 */
export const former = async (
  branch: Pick<PromotedBranch, "commits" | "commit" | "descends" | "between">,
  stack: string,
  asked: string | undefined,
): Promise<{ to: string; commits: string[] }> => {
  const { target, before } = branch.commits;
  if (target === undefined) throw new Problem(`${stack} has no commit yet, so it cannot go back`);
  if (asked === undefined && before === undefined) {
    throw new Problem(
      `Nothing says what ${stack} had before: name the commit, as in npx hearth promote ${stack} --back COMMIT`,
    );
  }
  const to = await branch.commit(asked ?? before ?? "");
  if (to === undefined)
    throw new Problem(`The branches have no commit ${asked ?? before ?? ""}: write one that git log shows`);
  if (to === target) throw new Problem(`${stack} has ${short(to)} already`);
  return { to, commits: await branch.between(to, target) };
};
