import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

import { openPrivateFolder, type PrivateFolder } from "../secrets/private-folder.ts";

/** The folder for temporary files of one run of the engine. */
export interface EngineFolder extends Pick<PrivateFolder, "usedBy" | "remove"> {
  /** What tells programs of the folder. */
  environment: Record<"TMPDIR" | "TMP" | "TEMP", string>;
  /** Writes a file into it, its name a path, and gives its path. */
  write: (name: string, text: string) => string;
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
 */
export const openEngineFolder = (): EngineFolder => {
  const { path, usedBy, remove } = openPrivateFolder({ space });
  const write = (name: string, text: string): string => {
    const file = join(path, name);
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
    writeFileSync(file, text, { mode: 0o600 });
    return file;
  };
  return { environment: { TMPDIR: path, TMP: path, TEMP: path }, usedBy, remove, write };
};
