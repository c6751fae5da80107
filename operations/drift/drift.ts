import type { EngineEvent, StepMetadata } from "../../lib/engine/events.ts";
import { resourceTypes } from "../../components/resource-types.ts";
import { nameOf } from "../../components/urn.ts";

/** A resource that is not what the state says. */
export interface Drift {
  /** Its type's last word and its name, as `VmLegacy den-dev-wk01`. */
  resource: string;
  /** Whether it is gone. */
  isGone: boolean;
  /** Paths of what differs, without their values. */
  paths: string[];
  /** The Proxmox hosts, where it is a virtual machine that runs on another one. */
  moved?: { from: string; to: string };
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
    const moved = movedTo(step);
    this.found.push({
      ...(moved && { moved }),
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

/** A machine that was migrated, by a person, by the host's maintenance or by high availability. */
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

const described = ({ isGone, moved }: Drift): string => {
  if (isGone) return "is gone";
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
          (drift) =>
            `| ${drift.resource} | ${described(drift)} | ${drift.paths.map((path) => `\`${path}\``).join(", ")} |`,
        ),
        "",
        `\`npx hearth deploy ${stack}\` after \`pulumi refresh --stack ${stack}\` puts it back. To keep the change, write it into the program first.`,
        ...adviceOnMoves(found),
        "",
      ].join("\n");
