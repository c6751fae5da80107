import { Problem } from "../../toolchain/problem.ts";
import { differences } from "./differences.ts";
import { headOf, readEscrow, type Escrow } from "../../lib/secrets/escrow.ts";
import { byRecipient, type Keys } from "../../lib/secrets/keys.ts";
import type { Sops } from "../../lib/secrets/sops.ts";

/** How one of the keys that should open an escrow did. */
export interface Trial {
  /** The age recipient, or the name of the KMS key. */
  key: string;
  outcome: "opened" | "not at hand" | "refused";
}

/** An escrow that was opened, and by whom. */
export interface Verified {
  trials: Trial[];
  /** What it holds; undefined where no key was at hand. */
  escrow: Escrow | undefined;
}

/**
 * Opens an escrow with each key at hand by itself.
 *
 * @param name how to call the file in messages
 * @throws Problem where a key that should open it does not, or two keys find different things
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
