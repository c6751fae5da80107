import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";

import type { Destination } from "./destination.ts";
import { folderLease } from "./folder-lease.ts";
import { unlessMissing } from "./missing.ts";
import { writeWhole } from "../../lib/terminal/whole-file.ts";

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
  lease: (path) => folderLease(folder, path),
});
