import type { Read } from "./read.ts";
import { readV1 } from "./v1.ts";
import { fromV1, readV2, type EscrowV2 } from "./v2.ts";

/** All that a rebuild needs beside Git and backups, as the newest version of the format holds it. */
export type Escrow = EscrowV2;
export { escrowSchema, fingerprint } from "./v2.ts";

/** Reads a decrypted file of one version into what Hearth holds now. */
export type Reader = (document: unknown) => Read<Escrow>;

/**
 * A reader for each version that was ever written, so that a file of today opens in every later release.
 *
 * A new version is a file beside v1.ts with its schema, its fingerprint and a pure function from the version before, which the older
 * readers go on through; a line here; `escrowVersion`; and files of it under test/fixtures/escrow.
 */
export const readers: Record<number, Reader> = { 1: (document) => fromV1(readV1(document)), 2: readV2 };

/** Reads a decrypted file by the reader of its version. */
export const fromDocument = (document: unknown, known = readers): Read<Escrow> => {
  const reader = known[(document as { version: number }).version];
  return reader ? reader(document) : { problem: "its head is not that of an escrow" };
};
