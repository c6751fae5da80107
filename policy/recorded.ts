import { resourcesOf, type State } from "../lib/engine/state.ts";
import type { PulumiStack } from "../lib/engine/pulumi-stack.ts";
import type { Recorded } from "./stack.ts";

/** Asks the engine for the resources in the stack's state. Their secrets stay encrypted. */
export const recordedIn = async (stack: PulumiStack): Promise<Recorded[]> =>
  recordedOf(JSON.parse(await stack.sealedState()) as State);

/** The resources of a state. */
export const recordedOf = (state: State): Recorded[] =>
  resourcesOf(state).map(({ urn, type, inputs = {}, outputs = {}, protect = false, ignoreChanges = [] }) => ({
    urn,
    type,
    inputs,
    outputs,
    protect,
    ignoreChanges,
  }));
