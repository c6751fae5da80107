import { writeFile } from "node:fs/promises";
import { join } from "node:path";

import { stringify } from "yaml";

import { withPrivateFolder } from "./private-folder.ts";

/** The secrets that everything else of a stack follows from, as an escrow holds them. */
export interface Roots {
  /** Configuration contract that the cluster was created with. @example "v1.13" */
  contract: string;
  /** What `talosctl gen secrets` writes. */
  talosSecrets: { certs: { os: { crt: string } } };
  /** Drawn passwords by the name of their resource. */
  passwords: Record<string, string>;
}

/** Hands a file with Talos's secrets bundle to work that takes nothing else. It is gone afterwards. */
export const withSecretsBundle = <T>(roots: Roots, work: (path: string) => Promise<T>): Promise<T> =>
  withPrivateFolder(async (folder) => {
    const path = join(folder, "secrets.yaml");
    await writeFile(path, stringify(roots.talosSecrets), { mode: 0o600 });
    return work(path);
  });
