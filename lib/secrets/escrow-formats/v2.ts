import { z } from "zod";

import { fingerprintOf } from "../../../components/secrets/fingerprint.ts";
import { mismatch, type Read } from "./read.ts";
import { escrowSchema as schemaV1, fileSchema as fileV1, rootSecretsOf, type EscrowV1 } from "./v1.ts";

/** What version 2 adds. */
const added = {
  /** The key that signs the stack's backups, PKCS #8 in PEM. The cluster's follows from the same password, `signing-seed`. */
  signingKey: z.string().min(1),
};

export const escrowSchema = schemaV1.extend(added);

/** An escrow of version 2, or one that was read from version 1, whose stack had no signing key yet. */
export type EscrowV2 = EscrowV1 & Partial<z.output<z.ZodObject<typeof added>>>;

export const fileSchema = fileV1.extend({ secrets: fileV1.shape.secrets.extend(added) });

/** Names the root secrets of an escrow: the program computes the same of its own, and keeps it in the state. */
export const fingerprint = (escrow: EscrowV2): string =>
  fingerprintOf({ ...rootSecretsOf(escrow), signingKey: escrow.signingKey });

/** What an escrow of version 1 is in version 2: the same, without a signing key. The next update creates one. */
export const fromV1 = (read: Read<EscrowV1>): Read<EscrowV2> => read;

/** Reads a decrypted file of version 2. */
export const readV2 = (document: unknown): Read<EscrowV2> => {
  const { data, error } = fileSchema.safeParse(document);
  if (!data) return { problem: mismatch(error.issues, 2) };
  const { stack, cluster, createdAt, secrets: opened } = data;
  const escrow = { stack, cluster, createdAt, ...opened };
  if (fingerprint(escrow) !== data.fingerprint) return { problem: "what it holds is not what its fingerprint names" };
  return { escrow };
};
