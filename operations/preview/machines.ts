import { resourceTypes } from "../../components/resource-types.ts";
import { platforms as all } from "../../infra/platforms/index.ts";
import type { ResourceChange, Resources, ResourceState } from "./changes.ts";
import type { Fingerprints } from "./fingerprints.ts";
import { yamlDiff } from "./line-diff.ts";
import { shownConfig, type MachineConfig } from "./machine-config.ts";
import { machineRestarts, merged, type Restart } from "./reboots.ts";
import { plain } from "../../lib/engine/value.ts";

/** The lines in which a machine's configuration differs. */
export interface MachineChange {
  node: string;
  lines: string[];
  /** Whether only the parts without keys could be compared. */
  partial: boolean;
}

/** Returns how machines change, and what the changes require. */
export const machineChanges = (
  changes: readonly ResourceChange[],
  before: Resources,
  after: Resources,
  fingerprints: Fingerprints,
  platforms = all,
): { machines: MachineChange[]; restarts: Restart[]; unknown: string[] } => {
  const configured = changes
    .filter(({ type, operation }) => type === resourceTypes.machineConfiguration && operation !== "delete")
    .map(({ urn, name, operation }) => ({ name, operation, ...configsOf(before.get(urn), after.get(urn)) }));
  return {
    machines: configured.flatMap(({ name, old, now }) => {
      const partial = now.whole === undefined;
      const from = partial ? { ...old, whole: undefined } : old;
      const lines = yamlDiff(shownConfig(from, fingerprints), shownConfig(now, fingerprints));
      return lines.length === 0 ? [] : [{ node: name, lines, partial }];
    }),
    restarts: [
      ...configured.flatMap(({ name, operation, isRecorded, old, now }) =>
        // A replaced machine is another machine, or one that starts from scratch. The state has a renamed one by its former name.
        operation !== "update" || !isRecorded
          ? []
          : old.whole === undefined || now.whole === undefined
            ? machineRestarts(name, merged(old.patches), merged(now.patches))
            : machineRestarts(name, old.whole, now.whole),
      ),
      ...changes
        .filter(({ operation }) => operation === "update")
        .flatMap(({ urn, type, name, properties }) => {
          const inputs = plain(after.get(urn)?.inputs ?? {}) as Record<string, unknown>;
          const paths = properties.map(({ path }) => path);
          return platforms
            .flatMap(({ dangers }) => dangers?.restarts(type, paths, inputs) ?? [])
            .map((restart) => ({ node: name, ...restart }));
        }),
    ],
    unknown: configured
      .filter(({ now }) => now.whole === undefined)
      .map(({ name, isTold }) =>
        isTold
          ? `the whole configuration of ${name}: it is made of secrets that the update will make`
          : `the whole configuration of ${name}: the engine stopped before it told`,
      ),
  };
};

const configsOf = (before: ResourceState | undefined, after: ResourceState | undefined) => ({
  isRecorded: before !== undefined,
  isTold: Object.keys(after?.outputs ?? {}).length > 0,
  old: configOf(before),
  now: configOf(after),
});

const configOf = (state: ResourceState | undefined): MachineConfig => ({
  whole: text(plain(state?.outputs.machineConfiguration)),
  // Secret patches contain keys.
  patches: Array.isArray(state?.inputs.configPatches)
    ? state.inputs.configPatches.filter((patch) => typeof patch === "string")
    : [],
});

const text = (value: unknown): string | undefined => (typeof value === "string" ? value : undefined);
