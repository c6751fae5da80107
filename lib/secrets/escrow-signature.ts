import { digestOf, signatureOf } from "../../components/secrets/sshsig.ts";
import { signedAs, type Signers } from "../../components/secrets/signing.ts";
import { signatureEnd, signatureProof } from "./proof.ts";

/** Path of an escrow's signature. */
export const signaturePath = (path: string): string => path + signatureEnd;

/** The text of an escrow's signature. Equal escrows have equal signatures. */
export const signEscrow = (text: string, stack: string, key: string): string =>
  signatureOf(Buffer.from(text), key, signedAs(stack, "escrow"));

/**
 * Why an escrow does not prove who wrote it, to be read after its name; undefined if it does.
 *
 * @param text of the file
 * @param signature text of the file beside it; undefined if there is none
 */
export const escrowDoubt = (
  text: string,
  signature: string | undefined,
  { stack, signers }: { stack: string; signers: Signers | undefined },
): { problem: string; isUnsigned?: true } | undefined => {
  const proof = signatureProof(signature, { stack, kind: "escrow", signers });
  if ("problem" in proof) return proof;
  if (proof.digest === digestOf(Buffer.from(text))) return undefined;
  return { problem: "is not what was signed: it was changed, or its signature is of another version of it" };
};
