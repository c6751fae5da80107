import { rm } from "node:fs/promises";

import { endOrphan } from "../../lab/engine.ts";
import { Lab } from "../../lab/lab.ts";
import { labFolder } from "../../lib/engine/lab-folder.ts";
import { isCloneOf } from "./clone.ts";

/**
 * Stops the lab of an earlier trial or of this one, and removes its clone.
 *
 * It proves first that the folder is a clone of this checkout, as only a trial makes one there.
 */
export const removeLab = async (root: string, folder: string, stack: string): Promise<void> => {
  if (!(await isCloneOf(root, folder))) return;
  const lab = await Lab.open(labFolder(folder, stack)).catch(() => undefined);
  if (lab !== undefined && (await lab.written()) !== undefined) {
    await endOrphan(lab.folder);
    await lab.supervisor.stop();
  }
  await rm(folder, { recursive: true, force: true, maxRetries: 5 });
};
