import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

import { parseDocument } from "yaml";

import { platforms } from "../platforms/index.ts";
import type { ConfigurationProblem } from "./error.ts";
import { examineConfig, unknownKeys, type Examined } from "./index.ts";
import { configKeys } from "./schema.ts";
import { secretKeys, setSecret } from "./secrets.ts";

const namespace = "hearth:";

/** Returns the names of the stacks that have a file in a folder, in alphabetical order. */
export const stacksIn = (folder: string): string[] =>
  readdirSync(folder)
    .flatMap((file) => /^Pulumi\.([\w-]+)\.yaml$/.exec(file)?.[1] ?? [])
    .sort();

/** The settings under `config` by their whole key, or problems if the file is not a stack file. */
export interface StackFile {
  settings: Record<string, unknown>;
  problems: ConfigurationProblem[];
}

export const readStackFile = (folder: string, stack: string): StackFile =>
  parseStackFile(readFileSync(join(folder, `Pulumi.${stack}.yaml`), "utf8"));

export const parseStackFile = (text: string): StackFile => {
  const document = parseDocument(text);
  const problems = document.errors.map(({ message, linePos }) => ({
    path: [`line ${linePos?.[0].line ?? 1}`],
    // The message continues with the line itself, which may contain a secret.
    problem: `is not YAML: ${message.split(" at line")[0] ?? ""}`,
    advice: "fix its indentation or quotes",
  }));
  const whole = problems.length > 0 ? undefined : (document.toJS() as { config?: unknown } | null);
  const settings = whole?.config;
  if (typeof settings === "object" && settings !== null) return { settings: { ...settings }, problems };
  const missing = { path: ["config"], problem: "is missing", advice: "put all keys under config:" };
  return { settings: {}, problems: problems.length > 0 ? problems : [missing] };
};

/** Returns the objects under `hearth:`, as Pulumi passes them to the program. */
export const rawOf = ({ settings }: StackFile): Record<string, unknown> =>
  Object.fromEntries(
    configKeys.flatMap((key) => {
      const value = settings[namespace + key];
      return value === undefined ? [] : [[key, value]];
    }),
  );

/** Checks a whole stack file, including that its secrets are encrypted. */
export const examineStackFile = (file: StackFile): Examined => {
  if (file.problems.length > 0) return { config: undefined, problems: file.problems, warnings: [], undeployable: [] };
  const keys = Object.keys(file.settings)
    .filter((key) => key.startsWith(namespace))
    .map((key) => key.slice(namespace.length));
  const { config, problems, warnings, undeployable } = examineConfig(rawOf(file), platforms, keys);
  const all = [...unknownKeys(keys), ...plainSecrets(file), ...problems];
  return { config: all.length > 0 ? undefined : config, problems: all, warnings, undeployable };
};

const plainSecrets = ({ settings }: StackFile): ConfigurationProblem[] =>
  Object.keys(secretKeys)
    .filter((key) => {
      const value = settings[namespace + key];
      return value !== undefined && !(typeof value === "object" && value !== null && "secure" in value);
    })
    .map((key) => ({
      path: [namespace + key],
      problem: "is readable for everyone",
      advice: `replace the secret, and ${setSecret(key)}`,
    }));
