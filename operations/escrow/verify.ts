import { Problem } from "../../toolchain/problem.ts";
import { differences } from "./differences.ts";
import { headOf, readEscrow, type Escrow } from "../../lib/secrets/escrow.ts";
import { byRecipient, type Keys } from "../../lib/secrets/keys.ts";
import type { Sops } from "../../lib/secrets/sops.ts";

/** The result of opening an escrow with one of its keys. */
export interface Trial {
  /** The age recipient, or the name of the KMS key. */
  key: string;
  outcome: "opened" | "not at hand" | "refused";
}

/** An opened escrow, and the result of each key. */
export interface Verified {
  trials: Trial[];
  /** Its content; undefined if no key was at hand. */
  escrow: Escrow | undefined;
}

/**
 * Opens an escrow separately with each key at hand.
 *
 * @param name of the file in messages
 * @throws Problem if one of its keys does not open it, or two keys find different content
 */
export const openWithEach = async (file: string, keys: Keys, sops: Sops, name: string): Promise<Verified> => {
  const { recipients } = headOf(file, name);
  const known = await byRecipient(keys.identities);
  const trials: Trial[] = [];
  let escrow: Escrow | undefined;
  const found = (opened: Escrow, key: string): void => {
    if (escrow && differences(escrow, opened).length > 0) throw new Problem(`${name} is another one for ${key}`);
    escrow = opened;
    trials.push({ key, outcome: "opened" });
  };
  for (const recipient of recipients.age) {
    const identity = known.get(recipient);
    if (identity === undefined) trials.push({ key: recipient, outcome: "not at hand" });
    else found(await readEscrow(file, { identities: [identity], kms: false }, sops, name), recipient);
  }
  for (const key of recipients.kms) {
    // A pipeline may be allowed to encrypt and not to decrypt.
    const opened = keys.kms && (await readEscrow(file, { identities: [], kms: true }, sops, name).catch(onlyProblems));
    if (opened) found(opened, key);
    else trials.push({ key, outcome: keys.kms ? "refused" : "not at hand" });
  }
  return { trials, escrow };
};

const onlyProblems = (error: unknown): undefined => {
  if (!(error instanceof Problem)) throw error;
};
