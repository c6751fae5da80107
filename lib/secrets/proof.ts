import { readSignature } from "../../components/secrets/sshsig.ts";
import { signedAs, type Signers } from "../../components/secrets/signing.ts";

/** What is backed up. */
export type Kind = "state" | "etcd";

/** How the names of backups end. */
export const extension: Record<Kind, string> = { state: ".json.age", etcd: ".db.age" };

/** How the name of a file's signature ends. */
export const signatureEnd = ".sig";

/** How the names of the snapshots end that the cluster takes and signs itself. */
const scheduledEnd = ".scheduled.db.age";

/** How far the clock of the machine that took a backup may be ahead of this machine's, in milliseconds. */
const clockSkew = 10 * 60_000;

/** What a signature proves, or why it proves nothing. */
export type Proof =
  /** SHA-512 of the signed content, in hex. */
  | { digest: string }
  /** Why it is refused, to be read after its name. `isUnsigned` if a person may take it all the same. */
  | { problem: string; isUnsigned?: true };

/** What a file is expected to be. */
export interface Expected {
  stack: string;
  kind: Kind | "escrow";
  /** Signers that the configuration names; undefined before the first escrow. */
  signers: Signers | undefined;
}

/**
 * Holds a signature to what the file should be.
 *
 * @param signature text of the file beside it; undefined if there is none
 * @param name of a backup's file; an escrow has none
 */
export const signatureProof = (
  signature: string | undefined,
  { stack, kind, signers }: Expected,
  name?: string,
): Proof => {
  if (signers === undefined) {
    const problem = `cannot be verified: hearth:escrow.signers is missing, and npx hearth escrow ${stack} writes it`;
    return { problem, isUnsigned: true };
  }
  if (signature === undefined) {
    return { problem: "is unsigned: it is older than signatures, or somebody else wrote it", isUnsigned: true };
  }
  const read = readSignature(signature);
  if (read === undefined) return { problem: "has a damaged signature" };
  const by = name?.endsWith(scheduledEnd) === true ? "cluster" : "stack";
  if (read.signer !== signers[by]) {
    return { problem: `is signed by ${read.signer}, not by hearth:escrow.signers.${by}, ${signers[by]}` };
  }
  const expected = signedAs(stack, kind, name);
  if (read.namespace !== expected) return { problem: `is signed as ${read.namespace}, not as ${expected}` };
  return { digest: read.digest };
};

/** Proves a backup by its name and its signature. Pure. */
export const backupProof = (
  { name, signature }: { name: string; signature: string | undefined },
  expected: Expected & { now: Date },
): Proof => {
  const at = timeOf(name);
  if (at !== undefined && at.getTime() > expected.now.getTime() + clockSkew) {
    return { problem: "is dated in the future, and is no backup that Hearth takes: remove it" };
  }
  return signatureProof(signature, expected, name);
};

/** Name of a backup that is taken now. */
export const nameOf = (kind: Kind, now: Date): string =>
  now
    .toISOString()
    .replace(/\.\d+Z$/, "Z")
    .replaceAll(":", "-") + extension[kind];

/** The time in the name of a backup, in UTC; undefined if it is no backup's name, as one with a time that no clock shows. */
export const timeOf = (name: string, end = ""): Date | undefined => {
  const [, day, time] = /^(\d{4}-\d\d-\d\d)T(\d\d-\d\d-\d\dZ)/.exec(name) ?? [];
  if (day === undefined || time === undefined || !name.endsWith(end)) return undefined;
  const text = `${day}T${time.replaceAll("-", ":")}`;
  const date = new Date(text);
  // Date takes 31 February for 3 March.
  return !Number.isNaN(date.getTime()) && date.toISOString() === text.replace("Z", ".000Z") ? date : undefined;
};
