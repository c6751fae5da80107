import { strangerOf } from "../../components/secrets/known-recipients.ts";
import type { Recipients } from "../../components/secrets/escrow-head.ts";
import type { HearthConfig } from "../../infra/config/index.ts";
import { escrowRecipients } from "../../infra/escrow-file.ts";
import { Problem } from "../../toolchain/problem.ts";
import type { Target } from "../engine/target.ts";

/**
 * Returns the recipients of a stack's escrow and backups.
 *
 * @throws Problem if there are none, or if the lab's recipient is among them: anyone can derive its identity
 */
export const recipientsFor = (
  { stack, isLab }: Pick<Target, "stack" | "isLab">,
  config: Pick<HearthConfig, "escrow">,
): Recipients => {
  const recipients = escrowRecipients(config);
  const where = `hearth:escrow of Pulumi.${stack}.yaml`;
  if (recipients.age.length === 0) {
    throw new Problem(`Nobody is named who could open the escrow of ${stack}: list age recipients in ${where}`);
  }
  const stranger = isLab ? undefined : recipients.age.find((each) => strangerOf(each) !== undefined);
  if (stranger !== undefined) {
    throw new Problem(`${where} names ${stranger}, ${strangerOf(stranger) ?? ""}: name your own`);
  }
  return recipients;
};
