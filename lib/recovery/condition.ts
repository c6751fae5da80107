import { resourceTypes } from "../../components/resource-types.ts";
import { nameOf } from "../../components/urn.ts";
import { ofType, type State } from "../engine/state.ts";
import type { Situation } from "./plan.ts";

/** Whether a state is there, and whether the engine that wrote it last came to its end. */
export const conditionOf = (state: State | undefined): Situation["state"] => {
  if (state === undefined) return "lost";
  return (state.deployment.pending_operations ?? []).length > 0 ? "interrupted" : "whole";
};

/**
 * What an interrupted update had not come to, by its state: machines without a configuration, and a cluster without its
 * bootstrap. None of it can be lost. An update that ended has no such excuse.
 */
export const unmadeOf = (state: State, machines: readonly string[]): Situation["unmade"] => {
  if (conditionOf(state) !== "interrupted") return undefined;
  const configured = ofType(state, resourceTypes.machineConfiguration).map(({ urn }) => nameOf(urn));
  return {
    machines: machines.filter((name) => !configured.includes(name)),
    cluster: ofType(state, resourceTypes.bootstrap).length === 0,
  };
};
