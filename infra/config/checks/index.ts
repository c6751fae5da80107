import type { ConfigurationProblem } from "../error.ts";
import type { HearthConfig } from "../index.ts";
import { nodeChecks } from "./nodes.ts";

/** Looks at a whole configuration, every value of which is valid by itself. */
export type Check = (config: HearthConfig) => ConfigurationProblem[];

const checks: Check[] = [...nodeChecks];

/** Everything wrong with how the parts of one stack's configuration go together. */
export const checkConfig: Check = (config) => checks.flatMap((check) => check(config));
