import { globSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";

import { secretSignature, signatureKey } from "./wire.ts";

/** The shortest word that counts as key material by its characters. Shorter ones are names. */
const shortest = 20;

/** Every string inside the secrets of a deployment that was exported with `--show-secrets`. */
export const secretsOf = (deployment: unknown): string[] => [...new Set(collect(deployment, false))];

const collect = (value: unknown, isSecret: boolean, key = ""): string[] => {
  if (typeof value === "string") return isSecret ? parts(value, key) : [];
  if (typeof value !== "object" || value === null) return [];
  const record = value as Record<string, unknown>;
  if (record[signatureKey] === secretSignature) {
    return typeof record.plaintext === "string" ? collect(JSON.parse(record.plaintext), true, key) : [];
  }
  return Object.entries(record).flatMap(([name, inner]) => collect(inner, isSecret, name));
};

/**
 * The strings to search for: the whole secret if its key says that it is one, and each word that looks like key
 * material.
 */
const parts = (secret: string, key: string): string[] => [
  ...(/token|secret|password|key$/i.test(key) && !secret.includes("\n") ? [secret] : []),
  ...secret.split(/[\s"':,]+/).filter((word) => word.length >= shortest && isTelling(word)),
];

/** Whether a word looks like key material: digits and letters of both cases, no dots. */
const isTelling = (word: string): boolean =>
  /\d/.test(word) && /[a-z]/.test(word) && /[A-Z]/.test(word) && !word.includes(".");

/** The files below the folders that hold any of the secrets, with the number of secrets in each. */
export const filesWith = (secrets: readonly string[], base: string, patterns: readonly string[]): string[] =>
  globSync([...patterns], { cwd: base })
    .filter((file) => statSync(join(base, file)).isFile())
    .flatMap((file) => {
      const text = readFileSync(join(base, file), "latin1");
      const count = secrets.filter((secret) => text.includes(secret)).length;
      return count === 0 ? [] : [`${file} holds ${count.toString()}`];
    });
