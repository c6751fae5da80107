import { chmod, cp, mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Patch } from "./patches.ts";
import { Problem } from "./problem.ts";

/** Creates a patched copy of a module's folder. */
export const patchedCopy = async (source: string, copy: string, patch: Patch): Promise<void> => {
  await cp(source, copy, { recursive: true });
  await makeWritable(copy);
  for (const [from, to] of Object.entries(patch.copies ?? {})) await cp(join(copy, from), join(copy, to));
  for (const [path, content] of Object.entries(patch.files ?? {})) {
    await mkdir(dirname(join(copy, path)), { recursive: true });
    await writeFile(join(copy, path), content);
  }
  for (const { file, from, to } of patch.replacements ?? []) {
    const text = await readFile(join(copy, file), "utf8");
    if (!text.includes(from)) {
      throw new Problem(
        `${patch.module} no longer has \`${from}\` in ${file}: check whether it still needs its entry in toolchain/patches.ts`,
      );
    }
    await writeFile(join(copy, file), text.replaceAll(from, to));
  }
};

/** Go's module cache is read-only, and so is a copy of it. */
const makeWritable = async (folder: string): Promise<void> => {
  await chmod(folder, 0o755);
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    await chmod(join(entry.parentPath, entry.name), entry.isDirectory() ? 0o755 : 0o644);
  }
};
