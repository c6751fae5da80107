/** Somewhere that copies are kept. Paths are relative to it, with slashes. */
export interface Place {
  /** How messages call it. */
  name: string;
  /** Whether it takes backups as well: a Git repository would keep each of them for ever. */
  takesBackups: boolean;
  /** Writes a file whole or not at all. */
  write: (path: string, content: Uint8Array) => Promise<void>;
  /** Reads a file anew from where it is kept; undefined where it is not there. */
  read: (path: string) => Promise<Uint8Array | undefined>;
  /** Names of the files in a folder, in alphabetical order. */
  list: (folder: string) => Promise<string[]>;
}

/** How a copy went. */
export interface Copied {
  place: string;
  /** What went wrong, and what to do. */
  problem?: string;
}

/**
 * Copies a file to each place and reads it back. One that fails keeps none of the others from getting theirs.
 */
export const copyTo = async (places: readonly Place[], path: string, content: Uint8Array): Promise<Copied[]> =>
  Promise.all(
    places.map(async (place): Promise<Copied> => {
      try {
        if (!same(await place.read(path), content)) await place.write(path, content);
        if (same(await place.read(path), content)) return { place: place.name };
        return {
          place: place.name,
          problem: "what was read back is not what was written: look at its disk, and run this again",
        };
      } catch (error) {
        return { place: place.name, problem: error instanceof Error ? error.message : String(error) };
      }
    }),
  );

const same = (a: Uint8Array | undefined, b: Uint8Array): boolean => a !== undefined && Buffer.compare(a, b) === 0;
