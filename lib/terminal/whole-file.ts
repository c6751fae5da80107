import { randomUUID } from "node:crypto";
import { mkdir, open, readdir, rename, rm, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";

import { codeOf, Problem } from "../../toolchain/problem.ts";

/** The names of files that are not complete yet. */
const unfinished = (name: string): RegExp =>
  new RegExp(`^\\.${name.replaceAll(".", String.raw`\.`)}\\.[0-9a-f-]{36}\\.new$`);

/**
 * Writes a file whole or not at all. A new file is for its owner only. A reader finds the previous content while this runs, and
 * after it was killed.
 *
 * @throws Problem where the folder cannot be written or its disk is full
 */
export const writeWhole = async (path: string, content: string | Uint8Array): Promise<void> => {
  const folder = dirname(path);
  const name = basename(path);
  const next = join(folder, `.${name}.${randomUUID()}.new`);
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    await sweep(folder, name);
    const { mode } = await stat(path).catch(() => ({ mode: 0o600 }));
    const file = await open(next, "wx", mode & 0o777);
    try {
      await file.writeFile(content);
      // A power cut must not leave the new name with nothing behind it.
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(next, path);
    await syncFolder(folder);
  } catch (error) {
    await rm(next, { force: true }).catch(() => undefined);
    throw problemWith(path, error);
  }
};

/** Removes what a killed run left behind. */
const sweep = async (folder: string, name: string): Promise<void> => {
  const remaining = (await readdir(folder)).filter((each) => unfinished(name).test(each));
  for (const each of remaining) await rm(join(folder, each), { force: true });
};

const syncFolder = async (folder: string): Promise<void> => {
  const handle = await open(folder, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
};

const problemWith = (path: string, error: unknown): unknown => {
  switch (codeOf(error)) {
    case "ENOSPC":
    case "EDQUOT":
    case "EFBIG":
      return new Problem(`No space is left for ${path}: what stood there is as it was. Free some, then run this again`);
    case "EACCES":
    case "EPERM":
    case "EROFS":
    case "ENOTDIR":
    case "EEXIST":
    case "ENOENT":
      return new Problem(
        `${path} cannot be written (${codeOf(error) ?? ""}): make its folder one that you may write, and run this again`,
      );
    default:
      return error;
  }
};
