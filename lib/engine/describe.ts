import type { RunReport } from "./report.ts";

/** Describes what the engine is doing. */
export const describeProgress = ({ phases }: RunReport): string => {
  const done = [...phases.values()].reduce((sum, phase) => sum + phase.done, 0);
  const busy = [...phases.values()].filter(({ running: names }) => names.length > 0);
  const what = busy.map(({ name, running: names }) => `${name}: ${names.join(", ")}`).join("; ");
  return `Pulumi, ${done.toString()} resources done${what === "" ? "" : `; ${what}`}`;
};

/** What a preview says, in a line or a few. */
export const describeChanges = (preview: RunReport): string =>
  preview.isUnchanged
    ? `no changes (${String(preview.counts?.same ?? 0)} resources)`
    : [`${preview.changes.length.toString()} changes`, ...preview.changes.map((change) => `  ${change}`)].join("\n");
