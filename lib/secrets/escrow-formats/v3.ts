import { z } from "zod";

import { fingerprintOf } from "../../../components/secrets/fingerprint.ts";
import { mismatch, type Read } from "./read.ts";
import { rootSecretsOf } from "./v1.ts";
import { escrowSchema as schemaV2, fileSchema as fileV2, type EscrowV2 } from "./v2.ts";

/** What version 3 adds. */
const added = {
  /**
   * Passphrase of the second key slot of volumes whose key is in a TPM. It derives from the password `disk-recovery-seed`, which a stack
   * has since the first update by a Hearth that knows it.
   */
  diskRecoveryKey: z.string().min(1).optional(),
};

export const escrowSchema = schemaV2.extend(added);

export type EscrowV3 = EscrowV2 & z.output<z.ZodObject<typeof added>>;

const fileSchema = fileV2.extend({ secrets: fileV2.shape.secrets.extend(added) });

/** Names the root secrets of an escrow: the program computes the same of its own, and keeps it in the state. */
export const fingerprint = (escrow: EscrowV3): string => {
  const { signingKey, diskRecoveryKey } = escrow;
  return fingerprintOf({ ...rootSecretsOf(escrow), signingKey, diskRecoveryKey });
};

/** What an escrow of version 2 is in version 3: the same, without a recovery key. The next update creates one. */
export const fromV2 = (read: Read<EscrowV2>): Read<EscrowV3> => read;

/** Reads a decrypted file of version 3. */
export const readV3 = (document: unknown): Read<EscrowV3> => {
  const { data, error } = fileSchema.safeParse(document);
  if (!data) return { problem: mismatch(error.issues, 3) };
  const { stack, cluster, createdAt, secrets: opened } = data;
  const escrow = { stack, cluster, createdAt, ...opened };
  if (fingerprint(escrow) !== data.fingerprint) return { problem: "what it holds is not what its fingerprint names" };
  return { escrow };
};
