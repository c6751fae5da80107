import { escrowHead, unreadFormat, type Recipients } from "./escrow-head.ts";

/** The state of an escrow, relative to the stack whose root secrets it should hold. */
export type EscrowStatus =
  | { is: "current" }
  | {
      is: "missing" | "unreadable" | "newer" | "foreign" | "stale" | "recipients";
      problem: string;
      /** What to do, unless the escrow simply has to be written. */
      advice?: string;
    };

/** What the escrow is expected to be. */
export interface Expected {
  stack: string;
  /** Fingerprint of the stack's root secrets. */
  fingerprint: string;
  /** Recipients that the configuration names. */
  recipients: Recipients;
}

/**
 * Compares an escrow with its stack, without a key. Previews, the policy and the command share this function.
 *
 * @param file text of the escrow; undefined if there is no file
 */
export const escrowStatus = (file: string | undefined, { stack, fingerprint, recipients }: Expected): EscrowStatus => {
  if (file === undefined) return { is: "missing", problem: "is missing: if the state is lost, nothing can restore it" };
  const read = escrowHead(file);
  if ("newer" in read) return { is: "newer", ...unreadFormat(read.newer) };
  if ("problem" in read) return { is: "unreadable", problem: `is damaged: ${read.problem}` };
  const { head } = read;
  if (head.stack !== stack) return { is: "foreign", problem: `is the escrow of stack ${head.stack}` };
  if (head.fingerprint !== fingerprint) {
    return { is: "stale", problem: `is of ${head.createdAt}, and root secrets have changed since` };
  }
  return sameRecipients(head.recipients, recipients)
    ? { is: "current" }
    : { is: "recipients", problem: "is encrypted to others than hearth:escrow names" };
};

const sameRecipients = (a: Recipients, b: Recipients): boolean => sorted(a) === sorted(b);

const sorted = ({ age, kms }: Recipients): string => [...age, "kms", ...kms].sort().join("\n");
