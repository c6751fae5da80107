import type { Platform } from "../../platforms/platform.ts";
import type { ConfigurationProblem } from "../error.ts";
import type { HearthConfig } from "../schema.ts";

/** The parts of a configuration that are valid by themselves. */
export interface Draft extends Partial<HearthConfig> {
  /** Nodes that are valid; all of them only where the draft is complete. */
  nodes: HearthConfig["nodes"];
  /** Whether nothing was left out, so that what is absent was not written. */
  complete: boolean;
  /** All platforms that a node may be of. */
  platforms: readonly Platform[];
}

/** Looks at how the parts of one stack's configuration go together. */
export type Check = (draft: Draft) => ConfigurationProblem[];
