import { readFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";

import { processTree } from "../test/support/processes.ts";

const pageSize = 4096;

/** The most memory that a process and its descendants have at a time until it ends, in MiB. Pages that they share are counted for each. */
export const peakOf = async (pid: number): Promise<number> => {
  let peak = 0;
  for (let tree = await processTree(pid); tree.length > 0; tree = await processTree(pid)) {
    const pages = await Promise.all(
      tree.map(async (each) =>
        Number((await readFile(`/proc/${String(each.pid)}/statm`, "utf8").catch(() => "")).split(" ")[1] ?? 0),
      ),
    );
    peak = Math.max(
      peak,
      pages.reduce((sum, each) => sum + each, 0),
    );
    await sleep(200);
  }
  return (peak * pageSize) / 2 ** 20;
};
