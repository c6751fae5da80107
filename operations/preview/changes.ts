import { resourceTypes } from "../../components/resource-types.ts";
import { dangerOf, dangers, type Danger, type Operation } from "./danger.ts";
import { nameOf } from "../../components/urn.ts";
import { lossOf } from "../../lib/engine/losses.ts";
import type { EngineEvent, StepMetadata } from "../../lib/engine/events.ts";
import type { Fingerprints } from "./fingerprints.ts";
import { propertyDiff, type PropertyChange } from "./property-diff.ts";
import { readValues, Unknown, type Values } from "../../lib/engine/value.ts";

export interface ResourceChange {
  urn: string;
  type: string;
  name: string;
  operation: Operation;
  /** Properties that cause the replacement. */
  because: string[];
  properties: PropertyChange[];
  /** Paths of the new properties that are known only after the update. */
  unknown: string[];
  danger: Danger | undefined;
  /** Whether a deployment refuses it unless an exemption names it. */
  isKept: boolean;
}

/** Inputs and outputs of a resource, with its secrets. */
export interface ResourceState {
  inputs: Values;
  outputs: Values;
}

/** Resources by URN. */
export type Resources = ReadonlyMap<string, ResourceState>;

/** The engine's names of operations that change something. */
const operations: Record<string, Operation> = {
  create: "create",
  update: "update",
  delete: "delete",
  replace: "replace",
  "create-replacement": "replace",
  "delete-replaced": "replace",
  import: "import",
  "import-replacement": "replace",
};
const nothing = new Set(["same", "read", "read-replacement", "read-discard", "refresh", "discard-replaced"]);

/**
 * What the engine blames where a replacement was asked for, or goes with another one.
 *
 * Source: pulumi 3.259.0, pkg/resource/deploy/step_generator.go, diff.
 */
const noProperties = ["id", "replaceWith"];

/** Properties that another part of the report shows. */
const toldElsewhere: Record<string, string[]> = {
  [resourceTypes.machineConfiguration]: ["machineConfigurationInput", "configPatches", "clientConfiguration"],
};

/**
 * Returns the changes that a run of the engine announced: dangerous ones first, then by operation, then by name.
 *
 * @param before the state
 * @param after the expected resources, as far as the engine reported them; its events fill the gaps
 */
export const resourceChanges = (
  events: readonly EngineEvent[],
  before: Resources,
  after: Resources,
  fingerprints: Fingerprints,
): ResourceChange[] => {
  const steps = events.flatMap(({ resourcePreEvent }) => resourcePreEvent?.metadata ?? []);
  const announced = steps.filter(({ op, type }) => !nothing.has(op) && type !== resourceTypes.stack);
  return [...new Set(announced.map(({ urn }) => urn))]
    .flatMap((urn) => {
      // A replacement has several steps.
      const [step] = announced.filter((each) => each.urn === urn).sort((a, b) => rank(a) - rank(b));
      return step ? [changeOf(step, before, after, fingerprints)] : [];
    })
    .sort((a, b) => order(a) - order(b) || a.name.localeCompare(b.name) || b.type.localeCompare(a.type));
};

/** Sorts the most informative step first. */
const rank = ({ op, keys }: StepMetadata): number => (op === "replace" ? 0 : keys?.length ? 1 : 2);

const changeOf = (
  step: StepMetadata,
  before: Resources,
  after: Resources,
  fingerprints: Fingerprints,
): ResourceChange => {
  const { urn, type } = step;
  const operation = operations[step.op] ?? "other";
  const old = before.get(urn)?.inputs ?? readValues(step.old?.inputs);
  const now = after.get(urn)?.inputs ?? readValues(step.new?.inputs);
  const hidden = toldElsewhere[type] ?? [];
  const differences =
    operation === "update" || operation === "replace"
      ? propertyDiff(without(old, hidden), without(now, hidden), fingerprints)
      : [];
  const removed = differences.filter((each) => each.after === undefined).map(({ path }) => path);
  const danger = dangerOf(type, operation, removed);
  return {
    urn,
    type,
    name: nameOf(urn),
    operation,
    because: [...new Set(step.keys ?? [])].filter((key) => !key.startsWith("__") && !noProperties.includes(key)),
    properties: differences,
    unknown: operation === "delete" ? [] : unknownPaths(without(now, hidden)),
    danger,
    isKept: lossOf(step) !== undefined || (operation === "update" && danger === "volume"),
  };
};

const without = (values: Values, names: readonly string[]): Values =>
  Object.fromEntries(Object.entries(values).filter(([name]) => !names.includes(name)));

const unknownPaths = (values: Values): string[] =>
  Object.entries(values).flatMap(([name, value]) => (value instanceof Unknown ? [name] : []));

const order = ({ danger, operation }: ResourceChange): number =>
  (danger === undefined ? dangers.length : dangers.indexOf(danger)) * 10 +
  ["replace", "delete", "update", "create", "import", "other"].indexOf(operation);
