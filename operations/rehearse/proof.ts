import { Problem } from "../../toolchain/problem.ts";
import type { Escrow } from "../../lib/secrets/escrow.ts";
import { differences } from "../escrow/differences.ts";
import type { Loss } from "./disaster.ts";

/** How the rebuild will open what it needs: with its own keys, and no others. */
export interface Openings {
  /** Opens the escrow from where it is kept. */
  escrow: () => Promise<Escrow>;
  /** Opens the newest snapshot with the identities beside those at hand, and gives its name. */
  snapshot: (more: readonly string[]) => Promise<string>;
}

/** What the rebuild has to find. */
export interface Needed {
  /** What the state holds. */
  escrow: Escrow;
  /** Name of the snapshot that was just taken. */
  snapshot: string;
}

/**
 * Proves that what is about to be destroyed can be rebuilt: the escrow holds what the state does, and the snapshot is the one that was
 * just taken; each is opened from where it is kept, by the keys that the rebuild will have after that loss.
 *
 * @throws Problem where it is not so; then nothing may be destroyed
 */
export const requireRecoverable = async (loss: Loss, openings: Openings, needed: Needed): Promise<void> => {
  const escrow = await openings.escrow();
  const differ = differences(escrow, needed.escrow);
  if (differ.length > 0) {
    throw new Problem(`Nothing was destroyed: the escrow does not hold what the state does: ${differ.join(", ")}`);
  }
  if (loss === "state") return;
  // Where the state is kept, a rebuild opens no escrow, and so does not have the stack's own age identity.
  const found = await openings.snapshot(loss === "all" ? [escrow.ageIdentity] : []);
  if (found !== needed.snapshot) {
    throw new Problem(`Nothing was destroyed: the newest snapshot is ${found}, and ${needed.snapshot} was just taken`);
  }
};
