import { createReadStream, createWriteStream } from "node:fs";
import { chmod, copyFile } from "node:fs/promises";
import { posix } from "node:path";
import { pipeline } from "node:stream/promises";
import { promisify } from "node:util";
import { Parser, type ReadEntry } from "tar";
import { open, type Entry, type ZipFile } from "yauzl";
import type { Release } from "./releases.ts";

/**
 * Extracts exactly the named files to the given paths, and returns the names that the archive contains.
 *
 * No path from an archive is ever used as a path on this machine, so any other entry has no effect, whatever its name.
 */
export const unpack = async (
  archive: string,
  packed: Release["packed"],
  wanted: ReadonlyMap<string, string>,
): Promise<Set<string>> => {
  switch (packed) {
    case "tar.gz":
      return unpackTar(archive, wanted);
    case "zip":
      return unpackZip(archive, wanted);
    case undefined: {
      for (const to of wanted.values()) {
        await copyFile(archive, to);
        await chmod(to, 0o755);
      }
      return new Set(wanted.keys());
    }
  }
};

const executable = { flags: "w", mode: 0o755 } as const;

const unpackTar = async (archive: string, wanted: ReadonlyMap<string, string>): Promise<Set<string>> => {
  const found = new Set<string>();
  const writes: Promise<void>[] = [];
  const take = (entry: ReadEntry): void => {
    const name = posix.normalize(entry.path).replace(/^\//, "");
    const to = wanted.get(name);
    // A link is not a program, and must not be followed.
    if (to === undefined || !["File", "OldFile", "ContiguousFile"].includes(entry.type)) {
      entry.resume();
      return;
    }
    found.add(name);
    writes.push(pipeline(entry, createWriteStream(to, executable)));
  };
  await pipeline(createReadStream(archive), new Parser({ strict: true, onReadEntry: take }));
  await Promise.all(writes);
  return found;
};

const unpackZip = async (archive: string, wanted: ReadonlyMap<string, string>): Promise<Set<string>> => {
  const found = new Set<string>();
  const zip = await promisify<string, object, ZipFile>(open)(archive, { lazyEntries: true });
  const take = async (entry: Entry): Promise<void> => {
    const to = wanted.get(posix.normalize(entry.fileName));
    if (to === undefined) return;
    const content = await promisify(zip.openReadStream.bind(zip))(entry);
    await pipeline(content, createWriteStream(to, executable));
    found.add(posix.normalize(entry.fileName));
  };
  await new Promise<void>((resolve, reject) => {
    zip.on("entry", (entry: Entry) => {
      take(entry).then(() => {
        zip.readEntry();
      }, reject);
    });
    zip.on("end", resolve);
    zip.on("error", reject);
    zip.readEntry();
  });
  return found;
};
