import type { Platform } from "../../platforms/platform.ts";
import type { ConfigurationProblem } from "../error.ts";
import type { HearthConfig } from "../schema.ts";

/** The parts of a configuration that are valid on their own. */
export interface Draft extends Partial<HearthConfig> {
  /** The valid nodes. Only a complete draft has all of them. */
  nodes: HearthConfig["nodes"];
  /** Whether no part was skipped as invalid, so that an absent part is absent in the file. */
  complete: boolean;
  /** Keys under `hearth:` of the secrets that are set. */
  secrets: readonly string[];
  /** All platforms that a node may use. */
  platforms: readonly Platform[];
}

/** Checks how the parts of one stack's configuration fit together. */
export type Check = (draft: Draft) => ConfigurationProblem[];
