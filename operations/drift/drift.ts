import type { EngineEvent, StepMetadata } from "../../lib/engine/events.ts";
import { resourceTypes } from "../../components/resource-types.ts";
import { nameOf } from "../../components/urn.ts";

/** A resource that differs from the state. */
export interface Drift {
  /** Last part of its type, and its name, as `VmLegacy den-dev-wk01`. */
  resource: string;
  /** Whether it no longer exists. */
  isGone: boolean;
  /** Paths of the differences, without values. */
  paths: string[];
  /** The Proxmox hosts, if it is a virtual machine that now runs on another one. */
  moved?: { from: string; to: string };
  /** What somebody installed by hand, and what the last update had installed. */
  installed?: { runs: string; recorded: string };
}

/** Collects the findings of a refresh that changes nothing, from its events. */
export class DriftFinder {
  readonly found: Drift[] = [];

  /** @param ignored paths that the program does not change after creating a resource, by URN */
  constructor(private readonly ignored: ReadonlyMap<string, readonly string[]>) {}

  add({ resOutputsEvent }: EngineEvent): void {
    const step = resOutputsEvent?.metadata;
    if (step === undefined || !["update", "delete"].includes(step.op)) return;
    const paths = this.meant(step);
    if (step.op === "update" && paths.length === 0) return;
    const moved = movedTo(step);
    this.found.push({
      ...(moved && { moved }),
      resource: `${step.type.split(":").at(-1) ?? step.type} ${nameOf(step.urn)}`,
      isGone: step.op === "delete",
      paths,
    });
  }

  /** The differences, except those that others are meant to cause. */
  private meant({ urn, detailedDiff }: StepMetadata): string[] {
    const ignored = this.ignored.get(urn) ?? [];
    return Object.keys(detailedDiff ?? {})
      .filter((path) => !ignored.some((prefix) => path === prefix || path.startsWith(`${prefix}.`)))
      .sort();
  }
}

/** The move of a migrated machine, whether by a person, the host's maintenance or high availability. */
const movedTo = ({ type, old, new: now }: StepMetadata): Drift["moved"] => {
  const [from, to] = [hostOf(old), hostOf(now)];
  return type === resourceTypes.virtualMachine && from !== undefined && to !== undefined && from !== to
    ? { from, to }
    : undefined;
};

const hostOf = (state: StepMetadata["old"]): string | undefined => {
  const host = state?.outputs?.nodeName ?? state?.inputs?.nodeName;
  return typeof host === "string" ? host : undefined;
};

const described = ({ isGone, moved, installed }: Drift): string => {
  if (isGone) return "is gone";
  if (installed) return `runs ${installed.runs}, and the last update installed ${installed.recorded}`;
  return moved ? `was moved from ${moved.from} to ${moved.to}` : "was changed";
};

const adviceOnMoves = (found: readonly Drift[]): string[] => {
  const moves = found.flatMap(({ resource, moved }) =>
    moved ? [`\`proxmox.host: ${moved.to}\` for ${resource}`] : [],
  );
  if (moves.length === 0) return [];
  return [
    "",
    `A machine that was moved is whole. To leave it where it is, write ${moves.join(", ")} into the stack file; otherwise the next update migrates it back.`,
  ];
};

const adviceOnInstalled = (found: readonly Drift[]): string[] =>
  found.some(({ installed }) => installed !== undefined)
    ? [
        "",
        "What was installed by hand stays: no update goes back to an older release. Write the release that runs into the stack file.",
      ]
    : [];

/** Writes the drift as Markdown for an issue. */
export const driftReport = (stack: string, found: readonly Drift[]): string =>
  found.length === 0
    ? `Everything of \`${stack}\` is as its state says.\n`
    : [
        `What is deployed of \`${stack}\` is not what its state says: somebody, or something, changed it from outside.`,
        "",
        "| resource | what | where |",
        "| --- | --- | --- |",
        ...found.map(
          (drift) =>
            `| ${drift.resource} | ${described(drift)} | ${drift.paths.map((path) => `\`${path}\``).join(", ")} |`,
        ),
        "",
        `\`npx hearth deploy ${stack}\` after \`pulumi refresh --stack ${stack}\` puts it back. To keep the change, write it into the program first.`,
        ...adviceOnMoves(found),
        ...adviceOnInstalled(found),
        "",
      ].join("\n");
