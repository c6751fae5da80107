import { escrowHead, unreadFormat, type Recipients } from "./escrow-head.ts";

/** How an escrow stands to the stack whose root secrets it should hold. */
export type EscrowStatus =
  | { is: "current" }
  | {
      is: "missing" | "unreadable" | "newer" | "foreign" | "stale" | "recipients";
      problem: string;
      /** What to do, where that is not to write it. */
      advice?: string;
    };

/** What an escrow should be. */
export interface Expected {
  stack: string;
  /** Fingerprint of the stack's root secrets. */
  fingerprint: string;
  /** Whom the configuration names. */
  recipients: Recipients;
}

/**
 * Compares an escrow with its stack, without a key. Pure: previews, the policy and the command say the same.
 *
 * @param file text of the escrow; undefined where there is no file
 */
export const escrowStatus = (file: string | undefined, { stack, fingerprint, recipients }: Expected): EscrowStatus => {
  if (file === undefined)
    return { is: "missing", problem: "is missing: were the state lost, nothing would bring it back" };
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
