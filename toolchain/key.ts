import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { join, relative } from "node:path";

/** Everything that decides what a build yields. */
export interface BuildInputs {
  /** Contents of the module's files by path. */
  files: Record<string, Uint8Array>;
  /** The Go package and the flags it is built with. */
  command: string[];
  /** For example `go1.26.8`. */
  goVersion: string;
  /** Target as `GOOS/GOARCH`. */
  platform: string;
}

/** Names a build by its content: the same inputs give the same key on every machine and in every checkout. */
export const contentKey = ({ files, command, goVersion, platform }: BuildInputs): string => {
  const hash = createHash("sha256");
  const add = (part: string | Uint8Array): void => {
    hash.update(`${part.length.toString()}:`).update(part);
  };
  [goVersion, platform, ...command].forEach(add);
  for (const [path, content] of Object.entries(files).sort(([a], [b]) => (a < b ? -1 : 1))) {
    add(path);
    add(content);
  }
  return hash.digest("hex").slice(0, 32);
};

/** Whether a file of a Go module can change what is built: tests and what is not Go's cannot. */
const isBuildInput = (name: string): boolean => !name.endsWith("_test.go") && !name.endsWith(".ts");

/** Reads the files that a build takes from a folder of a Go module, by path in the module, without modules that lie inside it. */
export const filesBelow = async (module: string, folder: string): Promise<Record<string, Uint8Array>> => {
  const files: Record<string, Uint8Array> = {};
  const walk = async (directory: string): Promise<void> => {
    for (const entry of await readdir(directory, { withFileTypes: true })) {
      const path = join(directory, entry.name);
      if (entry.isDirectory()) {
        const isModule = (await readdir(path)).includes("go.mod");
        if (!isModule && entry.name !== "testdata") await walk(path);
      } else if (entry.isFile() && isBuildInput(entry.name)) {
        files[relative(module, path)] = await readFile(path);
      }
    }
  };
  await walk(join(module, folder));
  return files;
};
