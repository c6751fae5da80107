import { readFile } from "node:fs/promises";
import { join } from "node:path";

import { stackFile } from "../infra/config/error.ts";
import { Clone } from "../operations/try/clone.ts";
import { removeLab } from "../operations/try/leftover.ts";
import { machinesIn, withMachines } from "./machines.ts";

const root = join(import.meta.dirname, "..");

/** Does work in a clone whose stack file has so many machines. What is left of it is removed before and afterwards. */
export const inClone = async <T>(
  { folder, stack, machines }: { folder: string; stack: string; machines: number },
  work: () => Promise<T>,
): Promise<T> => {
  await removeLab(root, folder, stack);
  const clone = await Clone.create(root, folder, stack);
  try {
    const { commit } = await clone.present();
    const isAsked = machinesIn(await readFile(join(root, stackFile(stack)), "utf8")) === machines;
    const change = (text: string): string => withMachines(text, machines);
    await clone.take(isAsked ? commit : await clone.edited(commit, "Add machines", change));
    return await work();
  } finally {
    await removeLab(root, folder, stack);
  }
};

export const median = (all: readonly number[]): number =>
  [...all].sort((a, b) => a - b)[Math.floor(all.length / 2)] ?? 0;
