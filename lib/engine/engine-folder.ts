import { existsSync, mkdirSync, symlinkSync } from "node:fs";
import { userInfo } from "node:os";
import { join } from "node:path";

import { openPrivateFolder, type PrivateFolder } from "../secrets/private-folder.ts";

/** The folder for temporary files of one run of the engine. */
export interface EngineFolder extends Pick<PrivateFolder, "usedBy" | "remove"> {
  /** What tells programs of the folder. */
  environment: Record<"TMPDIR" | "TMP" | "TEMP", string>;
}

/**
 * What the engine may put there, in bytes: archives of plugins that it downloads, and of policy packs. A runtime directory is often a
 * tenth of the computer's memory, so on a small one the folder is on the disk instead.
 */
const space = 2 ** 30;

/**
 * Opens a private folder for the temporary files of the engine, its plugins and the program.
 *
 * Kubernetes' plugin writes the administrator's kubeconfig to a temporary file each time it is configured, and never removes it.
 * Source: pulumi-kubernetes 4.32.0, provider/pkg/provider/util.go, writeKubeconfigToFile.
 *
 * Go reads TMPDIR; Node.js reads TMPDIR, TMP and TEMP. Source: Go 1.26, os/file_unix.go, tempDir; Node.js 24, lib/os.js, tmpdir.
 *
 * @param root of the checkout, where a program that the engine runs keeps its cache
 */
export const openEngineFolder = (root?: string): EngineFolder => {
  const { path, usedBy, remove } = openPrivateFolder({ space });
  if (root !== undefined) shareCache(path, root);
  return { environment: { TMPDIR: path, TMP: path, TEMP: path }, usedBy, remove };
};

/**
 * Lets tsx find what it has compiled before, which it keeps with the temporary files of its user. It has no setting for that. Source: tsx 4.23.15,
 * src/utils/temporary-directory.ts.
 */
const shareCache = (folder: string, root: string): void => {
  const modules = join(root, "node_modules");
  if (!existsSync(modules)) return;
  const cache = join(modules, ".cache", "tsx");
  try {
    mkdirSync(cache, { recursive: true });
    symlinkSync(cache, join(folder, `tsx-${(process.geteuid?.() ?? userInfo().username).toString()}`));
  } catch {
    // Without the cache the program only starts later: the checkout may be read-only.
  }
};
