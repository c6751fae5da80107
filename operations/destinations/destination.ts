/** Somewhere that copies are kept. Paths are relative to it, with slashes. */
export interface Destination {
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
  destination: string;
  /** What went wrong, and what to do. */
  problem?: string;
}

/**
 * Copies a file to each destination and reads it back. One that fails keeps none of the others from getting theirs.
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
        return { destination: destination.name, problem: error instanceof Error ? error.message : String(error) };
      }
    }),
  );

const same = (a: Uint8Array | undefined, b: Uint8Array): boolean => a !== undefined && Buffer.compare(a, b) === 0;
