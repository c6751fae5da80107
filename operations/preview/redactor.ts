import type { Fingerprints } from "./fingerprints.ts";

/** A string that must not be shown, and what it is called. */
export interface Hidden {
  name: string;
  text: string;
}

/** Words of at least this many characters may be keys; shorter ones are names of things. */
const wordLength = 20;
/** Secrets shorter than this stand in too much that is no secret. */
const shortest = 6;

/**
 * Takes known secrets out of a text, whatever part of a report it comes from.
 *
 * Each part of a report already shows fingerprints where it knows of a secret. This is for what nobody knew: a message of a
 * program that quotes its input, or a key that somebody has put where none belongs.
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

/** The texts that give a secret away. */
const forms = ({ name, text }: Hidden): string[] => {
  const words = text.split(/[\s"':,]+/).filter((word) => word.length >= wordLength && looksLikeKey(word));
  const whole = text.length >= shortest && !text.includes("\n") && (isNamedSecret(name) || looksLikeKey(text));
  const all = whole ? [text, ...words] : words;
  // What a Secret of Kubernetes holds comes back from it in base64.
  return all.flatMap((each) => [each, Buffer.from(each).toString("base64")]);
};

const isNamedSecret = (name: string): boolean => /token|secret|password|passphrase|key$|seed|configured/i.test(name);

/** Digits and letters of both cases, as keys have and configuration has not. */
const looksLikeKey = (word: string): boolean =>
  /\d/.test(word) && /[a-z]/.test(word) && /[A-Z]/.test(word) && !/[.\s]/.test(word);
