import { ageRecipient } from "../../components/secrets/age.ts";
import type { Openers } from "../../components/secrets/escrow-head.ts";
import type { HearthConfig } from "../../infra/config/index.ts";
import { escrowOpeners } from "../../infra/escrow-file.ts";
import { labAgeIdentity } from "./lab-identity.ts";
import { Problem } from "../../toolchain/problem.ts";
import type { Target } from "../engine/target.ts";

/**
 * Who may open a stack's escrow and backups.
 *
 * @throws Problem where nobody is named, and where everybody is: anyone can derive the lab's identity
 */
export const openersFor = async (
  { stack, isLab }: Pick<Target, "stack" | "isLab">,
  config: Pick<HearthConfig, "escrow">,
): Promise<Openers> => {
  const openers = escrowOpeners(config);
  const where = `hearth:escrow of Pulumi.${stack}.yaml`;
  if (openers.recipients.length === 0) {
    throw new Problem(`Nobody is named who could open the escrow of ${stack}: list age recipients in ${where}`);
  }
  const everyones = await ageRecipient(labAgeIdentity);
  if (!isLab && openers.recipients.includes(everyones)) {
    throw new Problem(`${where} names ${everyones}, the lab's, whose identity everyone can derive: name your own`);
  }
  return openers;
};
