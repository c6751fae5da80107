import { readdir, readFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parse } from "yaml";
import type { State } from "./state.ts";

/** Where a backend that is a folder keeps the state of a checkout's stack. Source: pulumi v3.259.0, pkg/backend/diy/store.go. */
export const stateFile = async (backend: string, root: string, stack: string): Promise<string> => {
  const project = parse(await readFile(join(root, "Pulumi.yaml"), "utf8")) as { name: string };
  return join(backend, ".pulumi", "stacks", project.name, `${stack}.json`);
};

/**
 * The state in the text of such a file. Format 4 is 3 with the names of what a reader has to know, such as hooks. Source: pulumi v3.259.0,
 * sdk/go/common/apitype/core.go, VersionedCheckpoint.
 */
export const stateIn = (text: string): State => {
  const { version, checkpoint } = JSON.parse(text) as {
    version: number;
    checkpoint: { latest?: State["deployment"] | null };
  };
  if (version !== 3 && version !== 4) throw new Error(`the state has format ${String(version)}, and 3 and 4 are known`);
  return { version, deployment: checkpoint.latest ?? {} };
};

/**
 * Reads a stack's state, secrets as the engine encrypts them, where the environment names a folder as the backend. To ask the engine
 * takes it a start.
 *
 * @returns undefined where only the engine knows: the backend is no folder, or the state is compressed, in another format or cut off
 */
export const storedState = async (
  root: string,
  stack: string,
  { PULUMI_BACKEND_URL: backend }: NodeJS.ProcessEnv = process.env,
): Promise<State | undefined> => {
  try {
    const file = await stateFile(fileURLToPath(new URL(backend ?? "")), root, stack);
    // Pulumi takes the newest of what has this name, compressed or not.
    const compressed = [".gz", ".zst"].map((form) => `${basename(file)}${form}`);
    const isCompressed = (await readdir(dirname(file))).some((name) => compressed.includes(name));
    return isCompressed ? undefined : stateIn(await readFile(file, "utf8"));
  } catch {
    return undefined;
  }
};
