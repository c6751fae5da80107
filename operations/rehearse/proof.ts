import { Problem } from "../../toolchain/problem.ts";
import type { Escrow } from "../../lib/secrets/escrow.ts";
import { differences } from "../escrow/differences.ts";
import type { Loss } from "./disaster.ts";

/** How the rebuild will open what it needs, with only its own keys. */
export interface Openings {
  /** Opens the stored escrow. */
  escrow: () => Promise<Escrow>;
  /** Opens the newest snapshot with these identities and those at hand, and returns its name. */
  snapshot: (more: readonly string[]) => Promise<string>;
}

/** What the rebuild must find. */
export interface Needed {
  /** What the state holds. */
  escrow: Escrow;
  /** Name of the snapshot just taken. */
  snapshot: string;
}

/**
 * Proves that a rebuild can restore what is about to be destroyed: the escrow matches the state, and the newest snapshot is the
 * one just taken. It opens each from where it is stored, with the keys that the rebuild will have after that loss.
 *
 * @throws Problem if this fails; then nothing may be destroyed
 */
export const requireRecoverable = async (loss: Loss, openings: Openings, needed: Needed): Promise<void> => {
  const escrow = await openings.escrow();
  const differ = differences(escrow, needed.escrow);
  if (differ.length > 0) {
    throw new Problem(`Nothing was destroyed: the escrow does not hold what the state does: ${differ.join(", ")}`);
  }
  if (loss === "state") return;
  // If the state remains, a rebuild opens no escrow, and so does not have the stack's own age identity.
  const found = await openings.snapshot(loss === "all" ? [escrow.ageIdentity] : []);
  if (found !== needed.snapshot) {
    throw new Problem(`Nothing was destroyed: the newest snapshot is ${found}, and ${needed.snapshot} was just taken`);
  }
};
