import { resourcesOf, type State } from "../lib/engine/state.ts";
import type { PulumiStack } from "../lib/engine/pulumi-stack.ts";
import type { Recorded } from "./stack.ts";

/** Returns the resources in the stack's state. Their secrets stay encrypted. */
export const recordedIn = async (stack: PulumiStack): Promise<Recorded[]> =>
  resourcesOf(JSON.parse(await stack.sealedState()) as State).map(
    ({ urn, type, inputs = {}, outputs = {}, protect = false, ignoreChanges = [] }) => ({
      urn,
      type,
      inputs,
      outputs,
      protect,
      ignoreChanges,
    }),
  );
