import { resourceTypes } from "../../components/resource-types.ts";
import { roleIn } from "../../components/talos/role.ts";
import { section } from "../../components/talos/section.ts";
import { nameOf, typesOf } from "../../components/urn.ts";
import { reachOf } from "../../infra/reach.ts";
import type { EngineEvent } from "../../lib/engine/events.ts";
import { keptKind } from "../../lib/engine/losses.ts";
import { plain } from "../../lib/engine/value.ts";
import { planRollout, type RolloutPlan } from "../../lib/rollout/plan.ts";
import type { Changes } from "../../lib/rollout/step.ts";
import { machineDocuments } from "../../policy/machine-documents.ts";
import type { ResourceChange, Resources } from "./changes.ts";
import { configuredMachine, type ConfiguredMachine } from "./configured-machine.ts";
import type { Restart } from "./reboots.ts";

/** The machines that resources configure, by the name of their node. */
export const machinesIn = (resources: Resources): Record<string, ConfiguredMachine> =>
  Object.fromEntries(
    [...resources]
      .filter(([urn]) => typesOf(urn).at(-1) === resourceTypes.machineConfiguration)
      .map(([urn, { inputs, outputs }]) => [
        nameOf(urn),
        configuredMachine(plain(inputs) as Record<string, unknown>, plain(outputs.machineConfiguration)),
      ]),
  );

/** What changes of machines are read from. */
export interface RolloutSources {
  /** The state. */
  before: Resources;
  /** The resources that the program declares. */
  after: Resources;
  kubernetes: string;
  /** Machines that are destroyed before they are created again. */
  destroyed: readonly string[];
}

/**
 * The machines that the engine announces to destroy before it creates them again.
 *
 * One that an interrupted update destroyed is announced as created alone. Source: pulumi 3.259.0, pkg/resource/deploy/step_generator.go.
 */
export const destroyedMachines = (events: readonly EngineEvent[]): string[] =>
  events
    .flatMap(({ resourcePreEvent }) => resourcePreEvent?.metadata ?? [])
    .filter(({ op, type }) => op === "delete-replaced" && keptKind(type) === "machine")
    .filter(({ type, old }) => type !== resourceTypes.machineConfiguration || isReset(old?.inputs?.onDestroy))
    .map(({ urn }) => nameOf(urn));

/** Whether the deletion of a configuration wipes its machine. */
const isReset = (onDestroy: unknown): boolean => section(onDestroy).reset === true;

/** What a preview of the engine means for machines, for the plan of a rollout. */
export const rolloutChanges = (
  changes: readonly ResourceChange[],
  restarts: readonly Restart[],
  { before, after, kubernetes, destroyed }: RolloutSources,
): Changes => {
  const recorded = machinesIn(before);
  const configured = changes.filter(({ type }) => type === resourceTypes.machineConfiguration);
  const created = configured.filter(({ operation }) => operation === "create" || operation === "replace");
  const reach = reachIn(configured, before, after);
  // The whole configurations, which say it too, are not always known.
  const isMoving =
    reach?.before.endpoint !== undefined && reach.before.endpoint !== (reach.after.endpoint ?? reach.before.endpoint);
  const planes = configured.filter(
    ({ name, operation }) => operation === "update" && recorded[name]?.role === "controlplane",
  );
  return {
    machines: machinesIn(after),
    reach,
    renamed: renamesIn(recorded, machinesIn(after), created),
    moved: movesIn(configured),
    closed: Object.fromEntries(restarts.filter(({ isFatal }) => isFatal).map(({ node, why }) => [node, why])),
    kubernetes,
    created: created.filter(({ name }) => !destroyed.includes(name)).map(({ name }) => name),
    replaced: created.filter(({ name }) => destroyed.includes(name)).map(({ name }) => name),
    former: Object.fromEntries(Object.entries(recorded).map(([name, { role }]) => [name, role])),
    isBootstrapped: changes.some(
      ({ type, operation }) => type === resourceTypes.bootstrap && (operation === "create" || operation === "replace"),
    ),
    restarts: grouped([...restarts.filter(({ isAtOnce }) => isAtOnce).map(({ node, why }) => [node, why] as const)]),
    apiServers: grouped([
      ...restarts
        .filter(({ node, isOfApiServer }) => isOfApiServer && planes.some(({ name }) => name === node))
        .map(({ node, why }) => [node, why] as const),
      ...(isMoving ? planes.map(({ name }) => [name, "another cluster.endpoint"] as const) : []),
    ]),
    removed: Object.fromEntries(
      configured
        .filter(({ operation }) => operation === "delete")
        .flatMap(({ name }) => (recorded[name] ? [[name, recorded[name].role]] : [])),
    ),
  };
};

/** The present names of machines that go on at their addresses under other names, by the latter. */
const renamesIn = (
  recorded: Record<string, ConfiguredMachine>,
  desired: Record<string, ConfiguredMachine>,
  created: readonly ResourceChange[],
): Record<string, string> =>
  Object.fromEntries(
    Object.entries(desired)
      .filter(([name]) => !(name in recorded) && !created.some((each) => each.name === name))
      .flatMap(([name, { address }]) =>
        Object.entries(recorded)
          .filter(([from, machine]) => machine.address === address && !(from in desired))
          .map(([from]) => [name, from] as const),
      ),
  );

/** The addresses of machines that would change it and are not made anew, by their names. */
const movesIn = (configured: readonly ResourceChange[]): Record<string, { from: string; to: string }> => {
  const moves: Record<string, { from: string; to: string }> = {};
  for (const { name, operation, properties } of configured) {
    if (operation !== "update") continue;
    const { before, after } = properties.find(({ path }) => path === "node") ?? {};
    // As they are shown, in quotes.
    if (before !== undefined && after !== undefined)
      moves[name] = { from: before.replaceAll('"', ""), to: after.replaceAll('"', "") };
  }
  return moves;
};

/** How the cluster is reached, by a control plane whose configuration changes, and that was one before. */
const reachIn = (configured: readonly ResourceChange[], before: Resources, after: Resources): Changes["reach"] =>
  configured
    .flatMap(({ urn }) => {
      const [old, now] = [before.get(urn), after.get(urn)].map(
        (resource) => resource && (plain(resource.inputs) as Record<string, unknown>),
      );
      return old && now && [old, now].every((inputs) => roleIn(machineDocuments({ inputs })) === "controlplane")
        ? [{ before: reachOf(old), after: reachOf(now) }]
        : [];
    })
    .at(0);

/** Values by their key. */
export const grouped = (pairs: readonly (readonly [string, string])[]): Record<string, string[]> => {
  const groups: Record<string, string[]> = {};
  for (const [key, value] of pairs) (groups[key] ??= []).push(value);
  return groups;
};

/**
 * The rollout that a deployment would carry out, where everything runs as it was recorded. Nobody asks the cluster, so who leads etcd is
 * not known.
 *
 * @returns undefined if the stack was never deployed
 */
export const expectedRollout = (changes: Changes, before: Resources): RolloutPlan | undefined => {
  const recorded = machinesIn(before);
  if (Object.keys(recorded).length === 0) return undefined;
  const [, cluster] = [...before].find(([urn]) => typesOf(urn).at(-1) === resourceTypes.talosCluster) ?? [];
  const release = plain(cluster?.outputs.kubernetes);
  const kubernetes = typeof release === "string" ? release : changes.kubernetes;
  return planRollout(changes, {
    machines: Object.fromEntries(
      Object.entries(recorded).map(([name, { image, role, volumes }]) => [
        name,
        { ...image, recorded: image.installer, role, volumes },
      ]),
    ),
    kubernetes: { lowest: kubernetes, highest: kubernetes },
    marked: [],
  });
};
