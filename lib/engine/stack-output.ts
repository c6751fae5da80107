import { resourceTypes } from "../../components/resource-types.ts";
import { ofType, type State } from "./state.ts";

/** One output of the stack itself that a command has put there; undefined if there is none. The next update takes it away. */
export const stackOutput = (state: State, name: string): unknown =>
  ofType(state, resourceTypes.stack)[0]?.outputs?.[name];

/** Returns a state whose stack has an output that no program gives; undefined takes it away. */
export const withStackOutput = (state: State, name: string, value: string | undefined): State => {
  const resources = (state.deployment.resources ?? []).map((each) => {
    if (each.type !== resourceTypes.stack) return each;
    const others = Object.entries(each.outputs ?? {}).filter(([other]) => other !== name);
    return { ...each, outputs: { ...Object.fromEntries(others), ...(value !== undefined && { [name]: value }) } };
  });
  return { ...state, deployment: { ...state.deployment, resources } };
};
