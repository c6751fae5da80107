import type { Read } from "./read.ts";
import { readV1 } from "./v1.ts";
import { fromV1, readV2 } from "./v2.ts";
import { fromV2, readV3, type EscrowV3 } from "./v3.ts";

/** All that a rebuild needs beside Git and backups, as the newest version of the format holds it. */
export type Escrow = EscrowV3;
export { escrowSchema, fingerprint } from "./v3.ts";

/** Reads a decrypted file of one version into what Hearth holds now. */
export type Reader = (document: unknown) => Read<Escrow>;

/**
 * A reader for each version that was ever written, so that a file of today opens in every later release.
 *
 * A new version is a file beside v1.ts with its schema, its fingerprint and a pure function from the version before, which the older
 * readers go on through; a line here; `escrowVersion`; and files of it under test/fixtures/escrow.
 */
export const readers: Record<number, Reader> = {
  1: (document) => fromV2(fromV1(readV1(document))),
  2: (document) => fromV2(readV2(document)),
  3: readV3,
};

/** Reads a decrypted file by the reader of its version. */
export const fromDocument = (document: unknown, known = readers): Read<Escrow> => {
  const reader = known[(document as { version: number }).version];
  return reader ? reader(document) : { problem: "its head is not that of an escrow" };
};
