import { createHmac, hkdfSync, randomBytes } from "node:crypto";

import { isValues, Secret, Unknown, type Value } from "../../lib/engine/value.ts";

/** Digits of a fingerprint. Two values of a stack share one by chance once in 2^48. */
const digits = 12;

/**
 * Replaces values that must not be shown. Equal values have equal fingerprints.
 *
 * Fingerprints are keyed, so nobody can find a value by trying likely ones.
 */
export class Fingerprints {
  private constructor(private readonly key: Uint8Array) {}

  /** Fingerprints that stay the same as long as a secret does. */
  static of(secret: string): Fingerprints {
    return new Fingerprints(new Uint8Array(hkdfSync("sha256", secret, "", "hearth preview fingerprints", 32)));
  }

  /** Fingerprints that are valid for one run only. */
  static random(): Fingerprints {
    return new Fingerprints(randomBytes(32));
  }

  print(value: Value): string {
    const hash = createHmac("sha256", this.key).update(canonical(value)).digest("hex");
    return `‹${hash.slice(0, digits)}›`;
  }
}

/** Writes a value as text, independent of the order of its keys. */
const canonical = (value: Value): string => {
  if (value instanceof Secret) return canonical(value.value);
  if (value instanceof Unknown) return "unknown";
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
  if (!isValues(value)) return JSON.stringify(value);
  const names = Object.keys(value).sort();
  return `{${names.map((name) => `${JSON.stringify(name)}:${canonical(value[name] ?? null)}`).join(",")}}`;
};
