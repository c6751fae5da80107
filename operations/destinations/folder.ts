import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";

import { codeOf } from "../../toolchain/problem.ts";
import type { Destination } from "./destination.ts";
import { writeWhole } from "../../lib/terminal/whole-file.ts";

const unlessMissing =
  <T>(otherwise: T) =>
  (error: unknown): T => {
    if (codeOf(error) === "ENOENT") return otherwise;
    throw error;
  };

/** A folder, such as a mounted share. */
export const folderDestination = (folder: string): Destination => ({
  name: folder,
  takesBackups: true,
  write: (path, content) => writeWhole(join(folder, path), content),
  read: (path) => readFile(join(folder, path)).catch(unlessMissing<Uint8Array | undefined>(undefined)),
  list: async (inner) => {
    const names = await readdir(join(folder, inner)).catch(unlessMissing<string[]>([]));
    return names.filter((name) => !name.startsWith(".")).sort();
  },
});
