import { bech32 } from "@scure/base";
import { armor, Decrypter, identityToRecipient } from "age-encryption";

import { seedLength } from "./derive.ts";

/**
 * Derives the age identity of a seed: an X25519 secret, whose 32 bytes are encoded in Bech32.
 *
 * Source: the age specification, C2SP age.md, "The X25519 recipient type".
 */
export const ageIdentity = (seed: Uint8Array): string => {
  if (seed.length !== seedLength) throw new Error(`An age seed has ${seedLength} bytes, not ${seed.length}`);
  return bech32.encodeFromBytes("AGE-SECRET-KEY-", seed).toUpperCase();
};

/** Returns the recipient, which is the public half of an identity. */
export const ageRecipient = (identity: string): Promise<string> => identityToRecipient(identity);

/** A SOPS file's data key, encrypted to each age recipient. */
export interface EncryptedFile {
  path: string;
  /** Armored age files that hold the data key, one for each recipient. */
  dataKeys: string[];
}

/**
 * Verifies that an identity decrypts SOPS files, before anything depends on it.
 *
 * @throws Error that names the files that it does not decrypt
 */
export const verifyOpens = async (identity: string, files: EncryptedFile[]): Promise<void> => {
  const decrypter = new Decrypter();
  decrypter.addIdentity(identity);
  const opens = async ({ dataKeys }: EncryptedFile): Promise<boolean> => {
    const attempts = await Promise.allSettled(dataKeys.map((key) => decrypter.decrypt(armor.decode(key))));
    return attempts.some((attempt) => attempt.status === "fulfilled");
  };
  const opened = await Promise.all(files.map(opens));
  const closed = files.filter((_, index) => !opened[index]);
  if (closed.length === 0) return;
  throw new Error(
    `The age key of this stack does not open ${closed.map(({ path }) => path).join(", ")}; ` +
      "npx hearth secret init makes the examples that come with the tree the stack's own. Where they are yours, name " +
      `${await ageRecipient(identity)} in this environment's rule of .sops.yaml and encrypt them again (npx hearth secret rotate), ` +
      "or restore the key they were encrypted to",
  );
};
