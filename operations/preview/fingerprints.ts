import { createHmac, hkdfSync, randomBytes } from "node:crypto";

import { isValues, Secret, Unknown, type Value } from "../../lib/engine/value.ts";

/** Digits of a fingerprint: two values of a stack have the same one by chance once in 2^48. */
const digits = 12;

/**
 * Stands in for values that must not be shown: the same value has the same fingerprint.
 *
 * It is keyed, so that trying out likely values does not find the one behind a fingerprint.
 */
export class Fingerprints {
  private constructor(private readonly key: Uint8Array) {}

  /** Fingerprints that stay the same as long as a secret does. */
  static of(secret: string): Fingerprints {
    return new Fingerprints(new Uint8Array(hkdfSync("sha256", secret, "", "hearth preview fingerprints", 32)));
  }

  /** Fingerprints that mean nothing beyond one run. */
  static random(): Fingerprints {
    return new Fingerprints(randomBytes(32));
  }

  print(value: Value): string {
    const hash = createHmac("sha256", this.key).update(canonical(value)).digest("hex");
    return `‹${hash.slice(0, digits)}›`;
  }
}

/** One text for a value, whatever the order of its names. */
const canonical = (value: Value): string => {
  if (value instanceof Secret) return canonical(value.value);
  if (value instanceof Unknown) return "unknown";
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
  if (!isValues(value)) return JSON.stringify(value);
  const names = Object.keys(value).sort();
  return `{${names.map((name) => `${JSON.stringify(name)}:${canonical(value[name] ?? null)}`).join(",")}}`;
};
