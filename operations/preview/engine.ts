import { access, constants } from "node:fs/promises";

import { rolloutEnvironment } from "../../infra/rollout.ts";
import type { EngineEvent } from "../../lib/engine/events.ts";
import type { PulumiStack } from "../../lib/engine/pulumi-stack.ts";
import { resourcesOf, type State } from "../../lib/engine/state.ts";
import { policyPack } from "../../lib/engine/target.ts";
import { readValues } from "../../lib/engine/value.ts";
import { replacing } from "./machines-to-replace.ts";
import type { ResourceState } from "./changes.ts";

/** The part of a stack's state that a preview reads. */
export interface Before {
  /** When it was last changed; undefined if nothing was ever created. */
  time: string | undefined;
  /** By URN. */
  resources: Map<string, ResourceState>;
}

/** The output of a run of the engine. */
export interface Run {
  events: EngineEvent[];
  /** Whether it succeeded. */
  succeeded: boolean;
  /** What it printed besides its events. */
  stderr: string;
}

/** The part of a state that a preview reads, with its secrets, which stay in memory. */
export const beforeOf = (state: State): Before => {
  const resources = resourcesOf(state);
  return {
    time: resources.length === 0 ? undefined : state.deployment.manifest?.time,
    resources: new Map(
      resources.map(({ urn, inputs, outputs }) => [urn, { inputs: readValues(inputs), outputs: readValues(outputs) }]),
    ),
  };
};

/**
 * Runs a preview of the engine.
 *
 * @param policyPacks the packs that take part
 * @param replaced resources that the engine replaces
 * @param onEvent called after each event
 */
export const runPreview = async (
  engine: PulumiStack,
  {
    policyPacks,
    replaced,
    signal,
  }: { policyPacks: readonly string[]; replaced: readonly string[]; signal: AbortSignal },
  onEvent: (events: readonly EngineEvent[]) => void,
): Promise<Run> => {
  const events: EngineEvent[] = [];
  const { exitCode, stderr } = await engine.try(["preview", ...replacing(replaced)], {
    policyPacks,
    signal,
    environment: rolloutEnvironment({ isPlanned: true }),
    onEvent: (event) => {
      events.push(event);
      onEvent(events);
    },
  });
  return { events, succeeded: exitCode === 0, stderr };
};

/** The policy packs of a checkout. */
export const policyPacks = async (root: string): Promise<string[]> => {
  const pack = policyPack(root);
  return (await access(pack, constants.X_OK).then(
    () => true,
    () => false,
  ))
    ? [pack]
    : [];
};
