import { readFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";

import { identityToRecipient } from "age-encryption";

import { codeOf, Problem } from "../../toolchain/problem.ts";

/** What may open an escrow. */
export interface Keys {
  /** Age identities, `AGE-SECRET-KEY-1…`. */
  identities: string[];
  /** Whether the KMS key that a file names may be asked, with the credentials of the environment. */
  kms: boolean;
}

/** The identities in a file as age-keygen writes it; lines that start with # are remarks. */
export const identitiesIn = (text: string): string[] =>
  text
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line.startsWith("AGE-SECRET-KEY-"));

/** Recipient of each identity. */
export const byRecipient = async (identities: readonly string[]): Promise<Map<string, string>> =>
  new Map(
    await Promise.all(
      [...new Set(identities)].map(async (identity) => [await identityToRecipient(identity), identity] as const),
    ),
  );

/**
 * The age identities from the places where SOPS looks too: SOPS_AGE_KEY, SOPS_AGE_KEY_FILE, and the file
 * `sops/age/keys.txt` of the person's configuration folder.
 *
 * @param files further files with identities
 */
export const identitiesAtHand = async (
  files: readonly string[] = [],
  env: NodeJS.ProcessEnv = process.env,
): Promise<string[]> => {
  const usual = join(env.XDG_CONFIG_HOME ?? join(env.HOME ?? homedir(), ".config"), "sops", "age", "keys.txt");
  const named = [...files, ...(env.SOPS_AGE_KEY_FILE ? [env.SOPS_AGE_KEY_FILE] : [])];
  const texts = await Promise.all([...named.map(readNamed), readFile(usual, "utf8").catch(() => "")]);
  return [...new Set([env.SOPS_AGE_KEY ?? "", ...texts].flatMap(identitiesIn))];
};

const readNamed = async (file: string): Promise<string> => {
  const text = await readFile(file, "utf8").catch((error: unknown) => {
    throw new Problem(`${file} cannot be read (${codeOf(error) ?? "?"}): name a file with an age identity`);
  });
  if (identitiesIn(text).length === 0) {
    throw new Problem(`${file} holds no age identity: it should have a line that begins with AGE-SECRET-KEY-1`);
  }
  return text;
};
