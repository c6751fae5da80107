import type { Session } from "../../lib/terminal/session.ts";
import type { Target } from "../../lib/engine/target.ts";
import { filesOf, type Credentials, type Written } from "../escrow/write.ts";

/** What a rotation works with. */
export interface Surroundings {
  target: Target;
  /** Their `live` names the step that begins, and ends the rotation there if the person has interrupted it. */
  credentials: Credentials;
  /** Aborted when the person interrupts the rotation. */
  signal: AbortSignal;
  /** Prints what the person has to know while the rotation goes on. */
  print: Session["print"];
  /** Reads a new value that the person gives: a line of standard input, which is shown nowhere. */
  readValue: (name: string) => Promise<string>;
}

/** The result of a rotation. */
export interface Rotated {
  /** Whether an earlier run began it. */
  resumed: boolean;
  /** What was done. */
  said: string[];
  /** What is left to the person, in this order. */
  left: string[];
  escrow: Written;
}

/** One root secret that the command gives anew. A file each; `rotations.ts` lists them. */
export interface Rotation {
  /** The word for it on the command line. */
  name: string;
  /** What it is, in a few words. */
  what: string;
  /** What it interrupts while it goes on, in a sentence. The person is told before anything is changed. */
  interrupts: string;
  /** Why it is not done, where that is so, and what to do. Then nobody is asked, and nothing is changed. */
  refusal?: string;
  /**
   * Carries it out. Each step first looks whether it is done, so that the next run finishes one that was killed.
   *
   * @throws Problem if the secret cannot be rotated
   */
  rotate: (surroundings: Surroundings) => Promise<Rotated>;
}

/** The command that gives a stack's cluster what its state has. */
export const deployCommand = ({ stack, isLab }: Pick<Target, "stack" | "isLab">): string =>
  isLab ? `npm run lab -- up ${stack}` : `npx hearth deploy ${stack}`;

/**
 * Asks for the commit of the escrow, its signature and other files that a rotation changed; nothing of a lab is in Git.
 *
 * @param files others than the escrow's, from the root of the project
 */
export const commitStep = (
  { isLab, stack }: Pick<Target, "isLab" | "stack">,
  escrow: Pick<Written, "path" | "namesSigners">,
  ...files: string[]
): string[] => (isLab ? [] : [`commit ${[...new Set([...files, ...filesOf(escrow, stack)])].join(" and ")}, and push`]);
