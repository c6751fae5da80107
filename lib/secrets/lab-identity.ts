import { createHash } from "node:crypto";

import { ageIdentity } from "../../components/secrets/age.ts";

/**
 * The seed of the lab's age identity, base64.
 *
 * Anyone can derive it, so that a fresh clone's example secrets open in everybody's lab: nothing that matters may be
 * encrypted to it alone.
 */
export const labAgeSeed: string = createHash("sha256").update("Hearth's lab, open to everyone").digest("base64");

/** The identity that the seed makes. */
export const labAgeIdentity: string = ageIdentity(Uint8Array.from(Buffer.from(labAgeSeed, "base64")));
