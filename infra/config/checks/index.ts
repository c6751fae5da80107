import type { ConfigurationProblem } from "../error.ts";
import type { HearthConfig } from "../schema.ts";
import { addressChecks } from "./addresses.ts";
import { announcementChecks } from "./announcement.ts";
import { edgeChecks } from "./edge.ts";
import { escrowChecks } from "./escrow.ts";
import { imageChecks } from "./images.ts";
import { labelChecks } from "./labels.ts";
import { machineChecks } from "./machines.ts";
import { nameChecks } from "./names.ts";
import { nodeChecks } from "./nodes.ts";
import { versionChecks } from "./versions.ts";

/** The parts of a configuration that are valid by themselves. */
export interface Draft extends Partial<HearthConfig> {
  /** Nodes that are valid; all of them only where the draft is complete. */
  nodes: HearthConfig["nodes"];
  /** Whether nothing was left out, so that what is absent was not written. */
  complete: boolean;
}

/** Looks at how the parts of one stack's configuration go together. */
export type Check = (draft: Draft) => ConfigurationProblem[];

const checks: Check[] = [
  ...nameChecks,
  ...nodeChecks,
  ...machineChecks,
  ...labelChecks,
  ...imageChecks,
  ...addressChecks,
  ...announcementChecks,
  ...versionChecks,
  ...edgeChecks,
  ...escrowChecks,
];

/** Everything wrong, or maybe wrong, with how the parts of one stack's configuration go together. */
export const checkConfig: Check = (draft) => checks.flatMap((check) => check(draft));
