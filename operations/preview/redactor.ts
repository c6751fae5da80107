import type { Fingerprints } from "./fingerprints.ts";

/** A string that must not be shown, and its name. */
export interface Hidden {
  name: string;
  text: string;
}

/** Minimum number of characters of a word that may be a key; shorter words are names. */
const wordLength = 20;
/** Minimum length of a secret. Shorter ones occur in too much text that is not secret. */
const shortest = 6;

/**
 * Removes known secrets from a text, whatever part of a report it comes from.
 *
 * Each part of a report already shows fingerprints for the secrets it knows. The redactor covers the rest: an error message
 * that quotes its input, or a key in the wrong field.
 */
export class Redactor {
  private readonly replacements: [text: string, fingerprint: string][];

  constructor(hidden: readonly Hidden[], fingerprints: Fingerprints) {
    const texts = new Set(hidden.flatMap(forms));
    this.replacements = [...texts]
      .sort((a, b) => b.length - a.length)
      .map((text): [string, string] => [text, fingerprints.print(text)]);
  }

  over(text: string): string {
    return this.replacements.reduce((done, [secret, fingerprint]) => done.replaceAll(secret, fingerprint), text);
  }
}

/** Returns the texts that reveal a secret. */
const forms = ({ name, text }: Hidden): string[] => {
  const words = text.split(/[\s"':,]+/).filter((word) => word.length >= wordLength && looksLikeKey(word));
  const whole = text.length >= shortest && !text.includes("\n") && (isNamedSecret(name) || looksLikeKey(text));
  const all = whole ? [text, ...words] : words;
  // Kubernetes returns the values of a Secret in base64.
  return all.flatMap((each) => [each, Buffer.from(each).toString("base64")]);
};

const isNamedSecret = (name: string): boolean => /token|secret|password|passphrase|key$|seed|configured/i.test(name);

/** Keys have digits and letters of both cases; configuration does not. */
const looksLikeKey = (word: string): boolean =>
  /\d/.test(word) && /[a-z]/.test(word) && /[A-Z]/.test(word) && !/[.\s]/.test(word);
