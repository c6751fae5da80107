import type { Target } from "../../lib/engine/target.ts";
import { identitiesAtHand } from "../../lib/secrets/keys.ts";
import { labAgeIdentity } from "../../lib/secrets/lab-identity.ts";
import { Sops } from "../../lib/secrets/sops.ts";
import type { Display } from "../../lib/terminal/display.ts";
import type { Credentials } from "./write.ts";

/** The credentials that open escrows: the keys at hand, and in the lab its own. */
export const credentialsFor = async (
  target: Target,
  files: string[],
  kms: boolean,
  display: Display,
): Promise<Credentials> => ({
  keys: {
    identities: [...(await identitiesAtHand(files)), ...(target.isLab ? [labAgeIdentity] : [])],
    kms,
  },
  sops: await Sops.find(target.root),
  live: (text) => {
    display.live(text);
  },
});
