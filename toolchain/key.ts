import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { join, relative } from "node:path";

/** Everything that determines the result of a build. */
export interface BuildInputs {
  /** Contents of the module's files by path. */
  files: Record<string, Uint8Array>;
  /** The Go package and its build flags. */
  command: string[];
  /** For example `go1.26.8`. */
  goVersion: string;
  /** Target in the form `GOOS/GOARCH`. */
  platform: string;
}

/** Returns the key of a build: the same inputs give the same key on every machine and in every checkout. */
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

/** Whether a file of a Go module can affect a build. Tests and TypeScript files cannot. */
const isBuildInput = (name: string): boolean => !name.endsWith("_test.go") && !name.endsWith(".ts");

/** Reads the files of a folder that affect a build, by their path in the Go module. Nested modules are skipped. */
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
