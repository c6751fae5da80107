import { resourceTypes } from "../../components/resource-types.ts";
import { nameOf, typesOf } from "../../components/urn.ts";
import type { EngineEvent } from "../../lib/engine/events.ts";
import { plain } from "../../lib/engine/value.ts";
import type { Changes } from "../../lib/rollout/step.ts";
import { resourceChanges, type ResourceChange, type Resources } from "../preview/changes.ts";
import { Fingerprints } from "../preview/fingerprints.ts";
import { machineChanges } from "../preview/machines.ts";
import { configuredMachine, type RecordedMachine } from "./running.ts";

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
  before: Resources,
  after: Resources,
  { recorded, kubernetes }: { recorded: Record<string, RecordedMachine>; kubernetes: string },
): MachineChanges => {
  const fingerprints = Fingerprints.random();
  const changes = resourceChanges(events, before, after, fingerprints);
  const { restarts } = machineChanges(changes, before, after, fingerprints);
  const atOnce = restarts.filter(({ isAtOnce }) => isAtOnce);
  const configured = [...after].filter(([urn]) => typesOf(urn).at(-1) === resourceTypes.machineConfiguration);
  return {
    machines: Object.fromEntries(
      configured.map(([urn, { inputs }]) => [nameOf(urn), configuredMachine(plain(inputs) as Record<string, unknown>)]),
    ),
    kubernetes,
    restarts: grouped(atOnce.map(({ node, why }) => [node, why])),
    removed: Object.fromEntries(
      changes
        .filter(({ type, operation }) => type === resourceTypes.machineConfiguration && operation === "delete")
        .flatMap(({ name }) => (recorded[name] ? [[name, recorded[name].role]] : [])),
    ),
    targets: grouped(changes.filter(isOfMachine).map(({ name, urn }) => [name, urn])),
    registrations: registrations(events),
  };
};

const isOfMachine = ({ operation }: ResourceChange): boolean => operation === "update";

const registrations = (events: readonly EngineEvent[]): string[] => {
  const created = events
    .flatMap(({ resourcePreEvent }) => resourcePreEvent?.metadata ?? [])
    .filter(({ op, type }) => op === "create" && [resourceTypes.schematic, imageProfiles].includes(type))
    .map(({ urn }) => urn);
  return created.some((urn) => typesOf(urn).at(-1) === resourceTypes.schematic) ? created : [];
};

const imageProfiles = "hearth:talos:ImageProfiles";

const grouped = (pairs: readonly (readonly [string, string])[]): Record<string, string[]> => {
  const groups: Record<string, string[]> = {};
  for (const [name, value] of pairs) (groups[name] ??= []).push(value);
  return groups;
};
