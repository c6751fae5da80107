import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";

import { execa } from "execa";

/**
 * Returns a hash of files of a repository as they are now: their paths and contents, committed or not, but for those that Git ignores.
 *
 * @param patterns as Git has them. None means every file
 * @param others what else decides, such as the version of a program
 */
export const contentKey = async (
  root: string,
  patterns: readonly string[],
  others: readonly string[] = [],
): Promise<string> => {
  const { stdout } = await execa("git", ["ls-files", "-z", "-co", "--exclude-standard", "--", ...patterns], {
    cwd: root,
  });
  const hash = createHash("sha256").update(JSON.stringify(others));
  for (const file of [...new Set(stdout.split("\0"))].sort()) {
    const content = await readFile(join(root, file)).catch(() => "");
    hash.update(`${file}:${content.length.toString()}:`).update(content);
  }
  return hash.digest("hex");
};
