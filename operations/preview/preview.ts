import { basename } from "node:path";

import { resourceTypes } from "../../components/resource-types.ts";
import type { Exemption } from "../../infra/config/policy.ts";
import { resourceChanges, type ResourceChange } from "./changes.ts";
import type { Before, Run } from "./engine.ts";
import { isNamed, nameOf } from "../../components/urn.ts";
import type { EngineEvent } from "../../lib/engine/events.ts";
import { Fingerprints } from "./fingerprints.ts";
import { machineChanges } from "./machines.ts";
import { observerName, type Observed } from "./observer.ts";
import { policyResults, withoutColours } from "./policy.ts";
import { destroyedMachines, expectedRollout, rolloutChanges } from "./rollout.ts";
import { report, type Preview } from "./report.ts";
import { treeChanges } from "./tree-changes.ts";
import type { Trees } from "./trees.ts";
import { plain, secretStrings } from "../../lib/engine/value.ts";
import { Redactor, type Hidden } from "./redactor.ts";

/** Everything that a preview is made of. */
export interface Sources {
  stack: string;
  head: string;
  base: string | undefined;
  state: Before;
  run: Run;
  observed: Observed;
  trees: Trees;
  /** What was found beside the engine. @default none */
  warnings?: readonly string[];
  /** Exemptions of the stack file. @default none */
  exemptions?: readonly Exemption[];
  policies: boolean;
  /** Release of Kubernetes that the stack file asks for; undefined if the file is not valid. */
  kubernetes?: string | undefined;
}

/** Combines the results of the engine, the state and the tree into a preview. */
export const previewOf = (sources: Sources): { preview: Preview; markdown: string } => {
  const { state, run, observed, trees } = sources;
  const fingerprints = fingerprintsOf(state);
  const changes = resourceChanges(run.events, state.resources, observed.resources, fingerprints);
  const { machines, restarts, unknown } = machineChanges(changes, state.resources, observed.resources, fingerprints);
  const rendered = trees.base !== undefined && trees.head !== undefined;
  const preview: Preview = {
    stack: sources.stack,
    head: sources.head,
    base: sources.base,
    state: state.time,
    resources: changes,
    exemptions: sources.exemptions ?? [],
    same: sameCount(run.events),
    machines,
    restarts,
    rollout:
      // Where the engine stopped, it did not tell of all machines.
      sources.kubernetes === undefined || !run.succeeded
        ? undefined
        : expectedRollout(
            rolloutChanges(changes, restarts, {
              before: state.resources,
              after: observed.resources,
              kubernetes: sources.kubernetes,
              destroyed: destroyedMachines(run.events),
            }),
            state.resources,
          ),
    tree: rendered ? treeChanges(trees.base ?? [], trees.head ?? [], fingerprints) : undefined,
    policy: policyResults(run.events, observerName),
    problems: [...problemsOf(run), ...trees.problems],
    warnings: [...diagnostics(run.events, "warning").filter((text) => !isOfPlugins(text)), ...(sources.warnings ?? [])],
    unknown: [
      ...unknown,
      ...unknownProperties(changes),
      ...trees.unknown,
      ...(run.succeeded ? [] : ["what comes after the failure: the engine stopped there"]),
      ...(sources.policies ? [] : ["what policies say: there is no policy pack"]),
      ...always(state),
    ],
  };
  return { preview, markdown: new Redactor(hiddenOf(sources), fingerprints).over(report(preview)) };
};

/**
 * Returns fingerprints keyed by a secret of the stack, so that they are the same in all its previews.
 *
 * A stack that was never deployed has no such secret, and nothing to compare with either.
 */
const fingerprintsOf = ({ resources }: Before): Fingerprints => {
  const seed = [...resources].find(([urn]) => isNamed(urn, resourceTypes.password, "deploy-key-seed"))?.[1].outputs
    .result;
  const secret = plain(seed);
  return typeof secret === "string" && secret.length >= 32 ? Fingerprints.of(secret) : Fingerprints.random();
};

const sameCount = (events: readonly EngineEvent[]): number =>
  events.findLast(({ summaryEvent }) => summaryEvent !== undefined)?.summaryEvent?.resourceChanges?.same ?? 0;

const problemsOf = ({ events, succeeded, stderr }: Run): string[] => {
  const errors = diagnostics(events, "error").filter((text) => !/^(preview|update) failed$/.test(text));
  if (succeeded || errors.length > 0) return errors;
  if (events.some(({ policyEvent }) => policyEvent?.enforcementLevel === "mandatory")) return [];
  const [, said = stderr] = /^error: (.*)/ms.exec(stderr) ?? [];
  return [said.trim() === "" ? "the engine failed and did not say why" : said.trim()];
};

const diagnostics = (events: readonly EngineEvent[], severity: "warning" | "error"): string[] => [
  ...new Set(
    events
      .flatMap(({ diagnosticEvent }) => diagnosticEvent ?? [])
      .filter((diagnostic) => diagnostic.severity === severity && diagnostic.ephemeral !== true)
      .map(({ urn, message }) => {
        const text = withoutColours(message).trim();
        return urn === undefined || urn === "" || urn.includes(resourceTypes.stack) ? text : `${nameOf(urn)}: ${text}`;
      })
      .filter((text) => text !== ""),
  ),
];

/** Readers do not need to know where the engine found its plugins. */
const isOfPlugins = (text: string): boolean => /\$PATH|is expected to have version/.test(text);

const unknownProperties = (changes: readonly ResourceChange[]): string[] => {
  const named = changes.flatMap(({ name, unknown }) => unknown.map((path) => `\`${name}\` ${path}`));
  return named.length === 0 ? [] : [`values that only the update will tell: ${named.join(", ")}`];
};

const always = ({ time }: Before): string[] => [
  ...(time === undefined ? [] : ["what was changed by hand since the last update: `npx hearth drift` looks for that"]),
  "what Flux makes of a changed object in the cluster, and what a chart has inside",
];

/** Values that must not be in the report, whatever their source. */
const hiddenOf = ({ state, observed }: Sources): Hidden[] => [
  ...[...state.resources.values(), ...observed.resources.values()].flatMap(({ inputs, outputs }) => [
    ...secretStrings(inputs),
    ...secretStrings(outputs),
  ]),
  ...[...observed.secrets].flatMap(([key, text]) => configured(basename(key), text)),
];

const configured = (name: string, text: string): Hidden[] => {
  const parsed = parse(text);
  if (typeof parsed !== "object" || parsed === null) return [{ name: `configured ${name}`, text }];
  return Object.entries(parsed)
    .filter(([key]) => !["apiVersion", "kind"].includes(key))
    .flatMap(([key, value]) => configured(key, typeof value === "string" ? value : JSON.stringify(value)));
};

const parse = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
};
