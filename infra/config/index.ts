import { readFileSync } from "node:fs";

import type { Draft } from "./checks/check.ts";
import { checkConfig } from "./checks/index.ts";
import { ConfigurationError, type ConfigurationProblem } from "./error.ts";
import { explain } from "./explain.ts";
import type { JsonSchema } from "./json-schema.ts";
import { advise } from "./nearest.ts";
import { nodeSchema } from "./nodes.ts";
import { bareDocument, configKeys, schema, type HearthConfig } from "./schema.ts";
import { secretKeys } from "./secrets.ts";
import { unwrapped } from "./stack-schema.ts";
import { name } from "./values.ts";

export { ConfigurationError } from "./error.ts";
export type { NodeConfig } from "./nodes.ts";
export { configKeys, type HearthConfig } from "./schema.ts";

/** A configuration, as far as it is valid, and everything that a person should know of it. */
export interface Examined {
  /** Undefined where there are problems. */
  config: HearthConfig | undefined;
  problems: ConfigurationProblem[];
  /** What may be right all the same. */
  warnings: ConfigurationProblem[];
  /** What has to be written before it can be deployed. */
  undeployable: ConfigurationProblem[];
}

/** Looks at what a stack file says: at every value by itself, and at how those that are valid go together. */
export const examineConfig = (raw: unknown): Examined => {
  const parsed = schema.safeParse(raw);
  const own = parsed.success ? [] : explain(parsed.error.issues, raw, document());
  const found = checkConfig(parsed.success ? { ...parsed.data, complete: true } : draftOf(raw));
  const problems = [...own, ...found.filter(({ warning, undeployable }) => !warning && !undeployable)];
  return {
    config: parsed.success && problems.length === 0 ? parsed.data : undefined,
    problems,
    warnings: found.filter(({ warning }) => warning),
    undeployable: found.filter(({ undeployable }) => undeployable),
  };
};

/**
 * Parses what a stack file says.
 *
 * @throws ConfigurationError naming every problem with its path.
 */
export const parseConfig = (stack: string, raw: unknown): HearthConfig => {
  const { config, problems } = examineConfig(raw);
  if (!config) throw new ConfigurationError(stack, problems);
  return config;
};

/** The committed schema, for it has what comments say of each key. */
const document = (): JsonSchema => {
  try {
    return unwrapped(JSON.parse(readFileSync(new URL("../config.schema.json", import.meta.url), "utf8")) as JsonSchema);
  } catch {
    return bareDocument();
  }
};

/** The parts that are valid by themselves, so that one mistake does not hide another. */
const draftOf = (raw: unknown): Draft => {
  const given = isObject(raw) ? raw : {};
  const parts = configKeys.flatMap((key) => {
    const parsed = schema.shape[key].safeParse(given[key]);
    return parsed.success ? [[key, parsed.data]] : [];
  });
  return { nodes: validNodes(given.nodes), ...Object.fromEntries(parts), complete: false } as Draft;
};

const validNodes = (nodes: unknown) =>
  Object.fromEntries(
    Object.entries(isObject(nodes) ? nodes : {}).flatMap(([key, node]) => {
      const parsed = nodeSchema.safeParse(node);
      return parsed.success && name.safeParse(key).success ? [[key, parsed.data]] : [];
    }),
  );

/** Keys under `hearth:` that mean nothing, such as `hearth:clutser`. */
export const unknownKeys = (keys: string[]): ConfigurationProblem[] => {
  const known = [...configKeys, ...Object.keys(secretKeys)];
  return keys
    .filter((key) => !known.includes(key))
    .map((key) => ({ path: [`hearth:${key}`], problem: "is not a key that Hearth knows", advice: advise(key, known) }));
};

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === "object" && value !== null;
