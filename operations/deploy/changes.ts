import { resourceTypes } from "../../components/resource-types.ts";
import type { TaintChange } from "../../components/talos/taints.ts";
import { typesOf } from "../../components/urn.ts";
import { anotherHost } from "../../infra/platforms/platform.ts";
import type { EngineEvent } from "../../lib/engine/events.ts";
import type { Access } from "../../lib/rollout/read.ts";
import type { Changes } from "../../lib/rollout/step.ts";
import { resourceChanges, type Resources } from "../preview/changes.ts";
import { Fingerprints } from "../preview/fingerprints.ts";
import { machineChanges } from "../preview/machines.ts";
import { destroyedMachines, grouped, machinesIn, rolloutChanges } from "../preview/rollout.ts";
import { taintChanges } from "./taints.ts";

/** What a preview of the engine means for machines. */
export interface MachineChanges extends Changes {
  /** Resources that the engine updates or creates for a machine, by the machine's name. */
  targets: Record<string, string[]>;
  /** How the machines are reached that it creates, destroys and creates again, or gives another name. */
  joining: Access["machines"];
  /** Resources of a machine that the engine deletes, by the machine's name. */
  deletions: Record<string, string[]>;
  /** Resources that register images, and those that they are part of. */
  registrations: string[];
  /** How the taints of workers change that run, by the names of their nodes. */
  taints: Record<string, TaintChange>;
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
  const machines = rolloutChanges(changes, restarts, {
    before,
    after,
    kubernetes,
    destroyed: destroyedMachines(events),
  });
  const [made, kept] = [
    [...machines.created, ...machines.replaced],
    ["create", "replace", "update"],
  ];
  const pairs = changes
    .filter(({ operation }) => kept.includes(operation))
    .map(({ name, urn }) => [name, urn] as const);
  const needs = changes.filter(({ type, operation }) => operation === "create" && isNeeded(type)).map(({ urn }) => urn);
  // Another host needs the machine's image too.
  const moving = Object.keys(machines.restarts).filter((name) => machines.restarts[name]?.includes(anotherHost));
  const reached = Object.entries(machinesIn(after)).filter(
    ([name]) => made.includes(name) || name in (machines.renamed ?? {}),
  );
  return {
    ...machines,
    joining: Object.fromEntries(reached.map(([name, { role, address }]) => [name, { role, address }])),
    targets: grouped([...pairs, ...[...made, ...moving].flatMap((name) => needs.map((urn) => [name, urn] as const))]),
    deletions: grouped(
      changes.filter(({ operation }) => operation === "delete").map(({ name, urn }) => [name, urn] as const),
    ),
    registrations: registrations(events),
    taints: taintChanges(changes, before, after),
  };
};

const imageProfiles = "hearth:talos:ImageProfiles";

/** Whether a machine may need a resource of a type before it is created: its image, or the component that it is part of. */
const isNeeded = (type: string): boolean =>
  type === resourceTypes.schematic || type === resourceTypes.image || type.startsWith("hearth:");

/** The schematics that are created, with their component where that is new. */
const registrations = (events: readonly EngineEvent[]): string[] => {
  const created = events
    .flatMap(({ resourcePreEvent }) => resourcePreEvent?.metadata ?? [])
    .filter(({ op, type }) => op === "create" && [resourceTypes.schematic, imageProfiles].includes(type))
    .map(({ urn }) => urn);
  return created.some((urn) => typesOf(urn).at(-1) === resourceTypes.schematic) ? created : [];
};
