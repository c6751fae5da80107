import { resourceTypes } from "../../components/resource-types.ts";
import { Problem } from "../../toolchain/problem.ts";
import { ofType, type State } from "./state.ts";

/** The name of a stack's output that says which rotation machines are in the middle of. */
const output = "unfinishedRotation";

/** Returns a state that says which rotation is not at its end; undefined takes that away. The next update takes it away too. */
export const withUnfinished = (state: State, rotation: string | undefined): State => {
  const resources = (state.deployment.resources ?? []).map((each) => {
    if (each.type !== resourceTypes.stack) return each;
    const others = Object.entries(each.outputs ?? {}).filter(([name]) => name !== output);
    return {
      ...each,
      outputs: { ...Object.fromEntries(others), ...(rotation !== undefined && { [output]: rotation }) },
    };
  });
  return { ...state, deployment: { ...state.deployment, resources } };
};

/** @throws Problem if machines are in the middle of a rotation, which an update would undo on all of them at once */
export const requireFinished = (state: State, stack: string): void => {
  const rotation = ofType(state, resourceTypes.stack)[0]?.outputs?.[output];
  if (rotation === undefined) return;
  throw new Problem(
    `${stack} is in the middle of a rotation, and an update would give all machines the old authority back at once: ` +
      `npx hearth rotate ${stack} ${rotation as string} finishes it`,
  );
};
