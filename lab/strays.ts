import { readdir, readFile } from "node:fs/promises";
import { basename, dirname } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { LabFolder } from "../lib/engine/lab-folder.ts";

/** Processes that an engine which was killed left behind: language hosts, plugins and programs from the lab's bin. */
const strays = async (folder: LabFolder): Promise<number[]> => {
  const pids = (await readdir("/proc").catch(() => [])).filter((name) => /^\d+$/.test(name));
  const found = await Promise.all(
    pids.map(async (pid) => {
      const command = await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "");
      const program = command.split("\0")[0] ?? "";
      const isEngines = basename(program) === "node" || basename(program).startsWith("pulumi-");
      return dirname(program) === folder.bin && isEngines ? [Number(pid)] : [];
    }),
  );
  return found.flat();
};

/** Ends what an engine that is gone left behind. */
export const endStrays = async (folder: LabFolder): Promise<void> => {
  for (let left = await strays(folder), tries = 0; left.length > 0; left = await strays(folder), tries += 1) {
    for (const pid of left) signal(pid, tries < 20 ? "SIGTERM" : "SIGKILL");
    await sleep(100);
  }
};

const signal = (pid: number, name: NodeJS.Signals): void => {
  try {
    process.kill(pid, name);
  } catch {
    // It ended by itself in the meantime.
  }
};
