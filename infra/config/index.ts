import { readFileSync } from "node:fs";

import { platforms as all } from "../platforms/index.ts";
import type { Platform } from "../platforms/platform.ts";
import type { Draft } from "./checks/check.ts";
import { checkConfig } from "./checks/index.ts";
import { ConfigurationError, type ConfigurationProblem } from "./error.ts";
import { atPools, expandPools } from "./expand-pools.ts";
import { explain } from "./explain.ts";
import type { JsonSchema } from "./json-schema.ts";
import { advise } from "./nearest.ts";
import { nodeSchemaOf } from "./platform-nodes.ts";
import { bareDocument, configKeys, configKeysOf, schemaOf, type HearthConfig } from "./schema.ts";
import { secretKeys } from "./secrets.ts";
import { unwrapped } from "./stack-schema.ts";
import { name } from "./values.ts";

export { ConfigurationError } from "./error.ts";
export type { NodeConfig } from "./platform-nodes.ts";
export { configKeys, type HearthConfig } from "./schema.ts";

/** The result of examining a configuration. */
export interface Examined {
  /** Undefined if there are problems. */
  config: HearthConfig | undefined;
  problems: ConfigurationProblem[];
  /** Findings that may be right nevertheless. */
  warnings: ConfigurationProblem[];
  /** Findings that prevent a deployment only. */
  undeployable: ConfigurationProblem[];
}

/**
 * Checks each value of a stack file on its own, and how the valid ones fit together.
 *
 * @param secrets keys under `hearth:` of the secrets that are set
 */
export const examineConfig = (given: unknown, platforms = all, secrets: readonly string[] = []): Examined => {
  const { raw, pools, problems: inPools } = expandPools(given, platforms);
  const parsed = schemaOf(platforms).safeParse(raw);
  const own = parsed.success ? [] : explain(parsed.error.issues, raw, document(platforms));
  const complete = inPools.length === 0;
  const checked = checkConfig(
    parsed.success ? { ...parsed.data, complete, platforms, secrets } : draftOf(raw, platforms, secrets),
  );
  const found = atPools(checked, pools);
  const problems = [
    ...atPools(own, pools),
    ...inPools,
    ...found.filter(({ warning, undeployable }) => !warning && !undeployable),
  ];
  return {
    config: parsed.success && problems.length === 0 ? parsed.data : undefined,
    problems,
    warnings: found.filter(({ warning }) => warning),
    undeployable: found.filter(({ undeployable }) => undeployable),
  };
};

/**
 * Parses a stack file's configuration.
 *
 * @throws ConfigurationError that lists every problem with its path
 */
export const parseConfig = (stack: string, raw: unknown): HearthConfig => {
  const { config, problems } = examineConfig(raw);
  if (!config) throw new ConfigurationError(stack, problems);
  return config;
};

/** The committed schema, which contains the comments on each key. */
const document = (platforms: readonly Platform[]): JsonSchema => {
  if (platforms !== all) return bareDocument(platforms);
  try {
    return unwrapped(JSON.parse(readFileSync(new URL("../config.schema.json", import.meta.url), "utf8")) as JsonSchema);
  } catch {
    return bareDocument();
  }
};

/** Returns the parts that are valid on their own, so that one mistake does not hide another. */
const draftOf = (raw: unknown, platforms: readonly Platform[], secrets: readonly string[]): Draft => {
  const given = isObject(raw) ? raw : {};
  const { shape } = schemaOf(platforms);
  const parts = configKeysOf(platforms).flatMap((key) => {
    const parsed = shape[key].safeParse(given[key]);
    return parsed.success ? [[key, parsed.data]] : [];
  });
  const nodes = validNodes(given.nodes, platforms);
  return { nodes, ...Object.fromEntries(parts), complete: false, platforms, secrets } as Draft;
};

const validNodes = (nodes: unknown, platforms: readonly Platform[]) => {
  const nodeSchema = nodeSchemaOf(platforms);
  return Object.fromEntries(
    Object.entries(isObject(nodes) ? nodes : {}).flatMap(([key, node]) => {
      const parsed = nodeSchema.safeParse(node);
      return parsed.success && name.safeParse(key).success ? [[key, parsed.data]] : [];
    }),
  );
};

/** Finds unknown keys under `hearth:`, such as `hearth:clutser`. */
export const unknownKeys = (keys: string[]): ConfigurationProblem[] => {
  const known = [...configKeys, ...Object.keys(secretKeys)];
  return keys
    .filter((key) => !known.includes(key))
    .map((key) => ({ path: [`hearth:${key}`], problem: "is not a key that Hearth knows", advice: advise(key, known) }));
};

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === "object" && value !== null;
