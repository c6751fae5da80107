import { copyFile, readdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { Problem } from "../toolchain/problem.ts";
import { readIfThere } from "./environment.ts";
import type { LabFolder } from "../lib/engine/lab-folder.ts";
import type { State } from "../lib/engine/state.ts";
import { stateFile, stateIn } from "../lib/engine/stored-state.ts";

const isWhole = async (path: string): Promise<boolean> => {
  try {
    JSON.parse(await readFile(path, "utf8"));
    return true;
  } catch {
    return false;
  }
};

/** The file in which the engine keeps the stack's state. */
export const checkpointFile = ({ state, root, stack }: LabFolder): Promise<string> => stateFile(state, root, stack);

/**
 * Reads the stack's state, with its secrets as the engine encrypts them. Undefined if there is none.
 *
 * Asking the engine takes it two starts, a second and a half.
 */
export const keptState = async (folder: LabFolder): Promise<State["deployment"] | undefined> => {
  const text = await readIfThere(await checkpointFile(folder));
  return text === undefined ? undefined : stateIn(text).deployment;
};

/**
 * Removes the attribute files that the engine left incomplete when it was killed.
 *
 * The engine cannot read a state file whose attributes are cut off, and does not need them.
 */
const removeDamagedAttributes = async (folder: LabFolder): Promise<void> => {
  const files = await readdir(folder.state, { recursive: true }).catch(() => []);
  for (const file of files.filter((name) => name.endsWith(".attrs")).map((name) => join(folder.state, name))) {
    if (!(await isWhole(file))) await rm(file, { force: true });
  }
};

/**
 * Restores the state from the engine's own backup if the state file was cut off when the engine was killed.
 *
 * @returns whether the state was restored
 */
export const restoreCheckpoint = async (folder: LabFolder): Promise<boolean> => {
  await removeDamagedAttributes(folder);
  const file = await checkpointFile(folder);
  if ((await readIfThere(file)) === undefined || (await isWhole(file))) return false;
  if (!(await isWhole(`${file}.bak`))) {
    throw new Problem(
      `The stack's state, ${file}, is damaged: run \`npm run lab -- reset ${folder.stack}\` to start over`,
    );
  }
  await copyFile(`${file}.bak`, file);
  return true;
};
