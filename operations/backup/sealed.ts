import { Decrypter, Encrypter } from "age-encryption";

import { Problem } from "../../toolchain/problem.ts";

/** Encrypts a backup so that the identity of any recipient opens it, also by hand with `age -d`. */
export const seal = (content: Uint8Array, recipients: readonly string[]): Promise<Uint8Array> => {
  const encrypter = new Encrypter();
  for (const recipient of recipients) encrypter.addRecipient(recipient);
  return encrypter.encrypt(content);
};

/**
 * Opens a backup.
 *
 * @param name of the backup in messages
 * @throws Problem if no identity opens it, or it is damaged
 */
export const unseal = async (sealed: Uint8Array, identities: readonly string[], name: string): Promise<Uint8Array> => {
  if (!Buffer.from(sealed.subarray(0, magic.length)).equals(magic)) {
    throw new Problem(`${name} is no age file, or its beginning is lost: take another backup`);
  }
  if (identities.length === 0) throw locked(name);
  const decrypter = new Decrypter();
  for (const identity of identities) decrypter.addIdentity(identity);
  try {
    return await decrypter.decrypt(sealed);
  } catch (error) {
    if (error instanceof Error && error.message.includes("no identity matched")) throw locked(name);
    throw new Problem(`${name} is damaged, or not whole: take another backup`);
  }
};

/** First bytes of every age file. Source: C2SP, age.md, the header. */
const magic = Buffer.from("age-encryption.org/v1\n");

const locked = (name: string): Problem =>
  new Problem(
    `No identity at hand opens ${name}: put that of one of the escrow's recipients, or the stack's own from its escrow, ` +
      "into the file that SOPS_AGE_KEY_FILE names",
  );
