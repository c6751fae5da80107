import { rename, writeFile } from "node:fs/promises";
import { join } from "node:path";

import type { LabFolder } from "../lib/engine/lab-folder.ts";

/** What a person does at a machine of metal, whose power goes off and on meanwhile. See lab/internal/talos/firmware.go. */
export interface Visit {
  /** Turns SecureBoot on and deletes its keys, which is setup mode, or turns it off. @default neither */
  secureBoot?: "setup" | "off";
  /** Address of an ISO of the Image Factory, which is booted, and whose keys are enrolled where it has some. @default none */
  iso?: string;
  /** Has other firmware, so that the TPM releases nothing that it sealed before. @default false */
  update?: boolean;
}

/** Has a person go to a machine of a lab. The machine restarts by itself, within a second. */
export const visit = async (folder: LabFolder, machine: string, what: Visit): Promise<void> => {
  const file = join(folder.path, "machines", machine, "visit");
  // The machine must not read a half of it.
  await writeFile(`${file}.new`, JSON.stringify(what));
  await rename(`${file}.new`, file);
};
