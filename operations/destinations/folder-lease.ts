import { mkdir, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";

import type { Lease, LeaseStore } from "../../lib/engine/lease.ts";
import { Problem } from "../../toolchain/problem.ts";
import { leaseText, readLease } from "./lease-text.ts";
import { unlessMissing } from "./missing.ts";

/**
 * Keeps a lease in a folder, such as a mounted share: `<path>/<number>.json`, of which the highest number counts.
 *
 * A share can create a file only where none is, and cannot compare before it replaces one. So a change creates the next number, which
 * one of two succeeds in. The highest number is never removed: who is late finds it, and knows that somebody was faster.
 */
export const folderLease = (folder: string, path: string): LeaseStore => {
  const within = join(folder, path);
  const numbers = async (): Promise<number[]> => {
    const names = await readdir(within).catch(unlessMissing<string[]>([]));
    return names.flatMap((name) => /^(\d+)\.json$/.exec(name)?.[1] ?? []).map(Number);
  };
  const fileOf = (number: number): string => join(within, `${number.toString()}.json`);
  const requireFolder = async (): Promise<void> => {
    // A share that is not mounted is an empty folder, or none. A lease on this computer's own disk would keep nobody out.
    if (!(await stat(folder).catch(() => undefined))?.isDirectory())
      throw new Problem(`${folder} is not there: mount it, or make it`);
  };
  const next = async (lease: Lease, number: number): Promise<void> => {
    await requireFolder();
    await mkdir(within, { recursive: true });
    await writeFile(fileOf(number), leaseText(lease), { flag: "wx" });
    const all = await numbers();
    if (all.some((each) => each > number)) {
      await rm(fileOf(number), { force: true });
      throw new Problem(`${within} was changed by somebody else meanwhile: run this again`);
    }
    await Promise.all(all.filter((each) => each < number).map((each) => rm(fileOf(each), { force: true })));
  };
  return {
    name: folder,
    get: async () => {
      await requireFolder();
      for (;;) {
        const all = await numbers();
        if (all.length === 0) return undefined;
        const number = Math.max(...all);
        const text = await readFile(fileOf(number), "utf8").catch(unlessMissing<string | undefined>(undefined));
        // It is gone where there is a higher one by now.
        if (text !== undefined) return { ...readLease(text), version: number.toString() };
      }
    },
    create: (lease) => next(lease, 1),
    replace: (lease, version) => next(lease, Number(version) + 1),
  };
};
