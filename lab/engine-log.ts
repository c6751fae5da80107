import { createWriteStream } from "node:fs";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";

import type { LabFolder } from "../lib/engine/lab-folder.ts";

/** A log of the engine. */
export interface EngineLog {
  path: string;
  /** Writes a line, prefixed with the time. */
  line: (text: string) => void;
  text: (text: string) => void;
  end: () => void;
}

/** Opens a log file for an engine run. `name` is part of the file's name. */
export const openLog = async ({ logs }: LabFolder, name: string): Promise<EngineLog> => {
  const path = join(logs, `pulumi-${name}-${new Date().toISOString().replaceAll(/[:.]/g, "-")}.log`);
  await mkdir(logs, { recursive: true });
  const output = createWriteStream(path, { mode: 0o600 });
  return {
    path,
    line: (text) => output.write(`${new Date().toISOString()} ${text}\n`),
    text: (text) => output.write(text),
    end: () => output.end(),
  };
};
