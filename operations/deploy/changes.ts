import { resourceTypes } from "../../components/resource-types.ts";
import { typesOf } from "../../components/urn.ts";
import type { EngineEvent } from "../../lib/engine/events.ts";
import type { Changes } from "../../lib/rollout/step.ts";
import { resourceChanges, type Resources } from "../preview/changes.ts";
import { Fingerprints } from "../preview/fingerprints.ts";
import { machineChanges } from "../preview/machines.ts";
import { grouped, rolloutChanges } from "../preview/rollout.ts";

/** What a preview of the engine means for machines. */
export interface MachineChanges extends Changes {
  /** Resources of a machine that the engine updates, by the machine's name. */
  targets: Record<string, string[]>;
  /** Resources that register images, and those that they are part of. */
  registrations: string[];
}

/**
 * Returns what a preview means for machines.
 *
 * @param before the state
 * @param after the resources that the program declares
 */
export const changesOf = (
  events: readonly EngineEvent[],
  { before, after, kubernetes }: { before: Resources; after: Resources; kubernetes: string },
): MachineChanges => {
  const fingerprints = Fingerprints.random();
  const changes = resourceChanges(events, before, after, fingerprints);
  const { restarts } = machineChanges(changes, before, after, fingerprints);
  const updated = changes.filter(({ operation }) => operation === "update");
  return {
    ...rolloutChanges(changes, restarts, { before, after, kubernetes }),
    targets: grouped(updated.map(({ name, urn }) => [name, urn])),
    registrations: registrations(events),
  };
};

const imageProfiles = "hearth:talos:ImageProfiles";

/** The schematics that are created, with their component where that is new. */
const registrations = (events: readonly EngineEvent[]): string[] => {
  const created = events
    .flatMap(({ resourcePreEvent }) => resourcePreEvent?.metadata ?? [])
    .filter(({ op, type }) => op === "create" && [resourceTypes.schematic, imageProfiles].includes(type))
    .map(({ urn }) => urn);
  return created.some((urn) => typesOf(urn).at(-1) === resourceTypes.schematic) ? created : [];
};
