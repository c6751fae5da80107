import { Problem } from "../../toolchain/problem.ts";
import { stackOutput, withStackOutput } from "./stack-output.ts";
import type { State } from "./state.ts";

/** The name of a stack's output that says which rotation machines are in the middle of. */
const output = "unfinishedRotation";

/** Returns a state that says which rotation is not at its end; undefined takes that away. The next update takes it away too. */
export const withUnfinished = (state: State, rotation: string | undefined): State =>
  withStackOutput(state, output, rotation);

/** The rotation that machines are in the middle of. */
export const unfinishedRotation = (state: State): string | undefined =>
  stackOutput(state, output) as string | undefined;

/** @throws Problem if machines are in the middle of a rotation, which an update would undo on all of them at once */
export const requireFinished = (state: State, stack: string): void => {
  const rotation = unfinishedRotation(state);
  if (rotation === undefined) return;
  throw new Problem(
    `${stack} is in the middle of a rotation, and an update would give all machines the old authority back at once: ` +
      `npx hearth rotate ${stack} ${rotation} finishes it`,
  );
};
