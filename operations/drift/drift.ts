import type { EngineEvent, StepMetadata } from "../../lib/engine/events.ts";
import { nameOf } from "../../components/urn.ts";

/** A resource that is not what the state says. */
export interface Drift {
  /** Its type's last word and its name, as `VmLegacy den-dev-wk01`. */
  resource: string;
  /** Whether it is gone. */
  isGone: boolean;
  /** Paths of what differs, without their values. */
  paths: string[];
}

/** What a refresh that changes nothing found, by its events. */
export class DriftFinder {
  readonly found: Drift[] = [];

  /** @param ignored paths that the program leaves alone once a resource is made, by its URN */
  constructor(private readonly ignored: ReadonlyMap<string, readonly string[]>) {}

  add({ resOutputsEvent }: EngineEvent): void {
    const step = resOutputsEvent?.metadata;
    if (step === undefined || !["update", "delete"].includes(step.op)) return;
    const paths = this.meant(step);
    if (step.op === "update" && paths.length === 0) return;
    this.found.push({
      resource: `${step.type.split(":").at(-1) ?? step.type} ${nameOf(step.urn)}`,
      isGone: step.op === "delete",
      paths,
    });
  }

  /** What differs, without what somebody else is meant to change. */
  private meant({ urn, detailedDiff }: StepMetadata): string[] {
    const ignored = this.ignored.get(urn) ?? [];
    return Object.keys(detailedDiff ?? {})
      .filter((path) => !ignored.some((prefix) => path === prefix || path.startsWith(`${prefix}.`)))
      .sort();
  }
}

/** What drifted, in Markdown, for an issue. */
export const driftReport = (stack: string, found: readonly Drift[]): string =>
  found.length === 0
    ? `Everything of \`${stack}\` is as its state says.\n`
    : [
        `What is deployed of \`${stack}\` is not what its state says: somebody, or something, changed it from outside.`,
        "",
        "| resource | what | where |",
        "| --- | --- | --- |",
        ...found.map(
          ({ resource, isGone, paths }) =>
            `| ${resource} | ${isGone ? "is gone" : "was changed"} | ${paths.map((path) => `\`${path}\``).join(", ")} |`,
        ),
        "",
        `\`npx hearth deploy ${stack}\` after \`pulumi refresh --stack ${stack}\` puts it back. To keep the change, write it into the program first.`,
        "",
      ].join("\n");
