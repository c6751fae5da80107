import { globSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";

/** How the engine marks a secret in its state. Source: pulumi/pulumi, sdk/go/common/resource. */
const signatureKey = "4dabf18193072939515e22adb298388d";
const secretSignature = "1b47061264138c4ac30d75fd1eb44270";

/** The shortest string that is looked for: shorter ones are found by chance. */
const shortest = 12;

/** Every string inside the secrets of a deployment that was exported with its secrets shown. */
export const secretsOf = (deployment: unknown): string[] => [...new Set(collect(deployment, false))];

const collect = (value: unknown, isSecret: boolean): string[] => {
  if (typeof value === "string") return isSecret ? parts(value) : [];
  if (typeof value !== "object" || value === null) return [];
  const record = value as Record<string, unknown>;
  if (record[signatureKey] === secretSignature) {
    return typeof record.plaintext === "string" ? collect(JSON.parse(record.plaintext), true) : [];
  }
  return Object.values(record).flatMap((inner) => collect(inner, isSecret));
};

/** A long secret is looked for by its parts as well: a line of it is as bad as the whole. */
const parts = (secret: string): string[] =>
  [secret, ...secret.split(/[\s"':,]+/)].filter((part) => part.length >= shortest && isTelling(part));

/** Whether a string looks like key material rather than like configuration: long, with digits and letters of both cases. */
const isTelling = (part: string): boolean =>
  !/[\s/]{2,}/.test(part) && /\d/.test(part) && /[a-z]/.test(part) && /[A-Z]/.test(part) && !/[.:]/.test(part);

/** The files below folders that hold any of the secrets, with how many. */
export const filesWith = (secrets: readonly string[], base: string, patterns: readonly string[]): string[] =>
  globSync([...patterns], { cwd: base })
    .filter((file) => statSync(join(base, file)).isFile())
    .flatMap((file) => {
      const text = readFileSync(join(base, file), "latin1");
      const count = secrets.filter((secret) => text.includes(secret)).length;
      return count === 0 ? [] : [`${file} holds ${count.toString()}`];
    });
