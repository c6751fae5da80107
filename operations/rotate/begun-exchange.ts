import { stackOutput, withStackOutput } from "../../lib/engine/stack-output.ts";
import type { State } from "../../lib/engine/state.ts";

const output = "begunExchange";

/** Returns a state that says which secret of the stack file is being exchanged; undefined takes that away. The next update takes it away too. */
export const withBegunExchange = (state: State, rotation: string | undefined): State =>
  withStackOutput(state, output, rotation);

/** The rotation that was begun, and that no update has given to what uses the secret; undefined if there is none. */
export const begunExchange = (state: State): string | undefined => {
  const rotation = stackOutput(state, output);
  return typeof rotation === "string" ? rotation : undefined;
};
