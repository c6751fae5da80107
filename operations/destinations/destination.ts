import type { LeaseStore } from "../../lib/engine/lease.ts";
import { messageOf } from "../../toolchain/problem.ts";

/** A store for copies. Paths are relative to it, with slashes. */
export interface Destination {
  /** Name in messages. */
  name: string;
  /** Whether it also takes backups. A Git repository would keep each of them for ever. */
  takesBackups: boolean;
  /** Writes a file atomically. */
  write: (path: string, content: Uint8Array) => Promise<void>;
  /** Reads a file again from the store; undefined if it does not exist. */
  read: (path: string) => Promise<Uint8Array | undefined>;
  /** Names of the files in a folder, in alphabetical order. */
  list: (folder: string) => Promise<string[]>;
  /** Where a lease is kept, for all computers that reach the store. */
  lease: (path: string) => LeaseStore;
}

/** The result of a copy. */
export interface Copied {
  destination: string;
  /** What went wrong, and what to do. */
  problem?: string;
}

/**
 * Copies a file to each destination and reads it back. A failed copy does not affect the others.
 */
export const copyTo = async (
  destinations: readonly Destination[],
  path: string,
  content: Uint8Array,
): Promise<Copied[]> =>
  Promise.all(
    destinations.map(async (destination): Promise<Copied> => {
      try {
        if (!same(await destination.read(path), content)) await destination.write(path, content);
        if (same(await destination.read(path), content)) return { destination: destination.name };
        return {
          destination: destination.name,
          problem: "what was read back is not what was written: look at its disk, and run this again",
        };
      } catch (error) {
        return { destination: destination.name, problem: messageOf(error) };
      }
    }),
  );

/**
 * Copies a file and its signature. The signature comes first, so that the file is never there without it.
 *
 * @param signature text of the file beside it; undefined if there is none
 */
export const copySigned = async (
  destinations: readonly Destination[],
  path: string,
  { content, signature }: { content: Uint8Array; signature: string | undefined },
): Promise<Copied[]> => {
  const signed = signature === undefined ? [] : await copyTo(destinations, `${path}.sig`, Buffer.from(signature));
  const failed = new Map(signed.filter(({ problem }) => problem !== undefined).map((each) => [each.destination, each]));
  const copied = await copyTo(
    destinations.filter(({ name }) => !failed.has(name)),
    path,
    content,
  );
  return [...copied, ...failed.values()];
};

const same = (a: Uint8Array | undefined, b: Uint8Array): boolean => a !== undefined && Buffer.compare(a, b) === 0;
