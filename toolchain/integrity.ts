import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { pipeline } from "node:stream/promises";

/** What is known of a file since it was last read completely. */
interface Stamp {
  digest: string;
  /** Size, modification times and inode. If they are unchanged, the content is assumed to be unchanged. */
  state: string;
}

export type Verdict = "whole" | "absent" | "unsealed" | "spoilt";

const digestFile = (file: string): string => `${file}.sha256`;

const stateOf = async (file: string): Promise<string> => {
  const { size, mtimeNs, ctimeNs, ino } = await stat(file, { bigint: true });
  return [size, mtimeNs, ctimeNs, ino].join(" ");
};

/** Returns the SHA-256 of a file's content, in hex. */
export const digestOf = async (file: string): Promise<string> => {
  const hash = createHash("sha256");
  await pipeline(createReadStream(file), hash);
  return hash.digest("hex");
};

/** Writes a file's digest beside it, so that the two can be moved together. */
export const seal = async (file: string): Promise<void> => {
  const name = file.slice(file.lastIndexOf("/") + 1);
  await writeFile(digestFile(file), `${await digestOf(file)}  ${name}\n`);
};

/**
 * Verifies that a sealed file is unchanged. The file is read only if its size, times or inode differ from the stamp of the last
 * verification.
 */
export const verify = async (file: string, stamp: string): Promise<Verdict> => {
  const isFile = await stat(file).then(
    (found) => found.isFile(),
    () => false,
  );
  if (!isFile) return "absent";
  const sealed = await readFile(digestFile(file), "utf8").catch(() => undefined);
  if (sealed === undefined) return "unsealed";
  const expected = /^[0-9a-f]{64}/.exec(sealed)?.[0];
  if (expected === undefined) return "spoilt";
  const state = await stateOf(file);
  const known = await readStamp(stamp);
  if (known?.digest === expected && known.state === state) return "whole";
  if ((await digestOf(file)) !== expected) return "spoilt";
  // A file that changed during the read gets no stamp. Without a stamp, as in a read-only cache, the file is read every time.
  if ((await stateOf(file)) === state) await writeStamp(stamp, { digest: expected, state }).catch(() => undefined);
  return "whole";
};

const readStamp = async (path: string): Promise<Stamp | undefined> => {
  try {
    return JSON.parse(await readFile(path, "utf8")) as Stamp;
  } catch {
    return undefined;
  }
};

const writeStamp = async (path: string, stamp: Stamp): Promise<void> => {
  const draft = `${path}.${process.pid.toString()}`;
  try {
    await writeFile(draft, JSON.stringify(stamp));
    await rename(draft, path);
  } finally {
    await rm(draft, { force: true });
  }
};
