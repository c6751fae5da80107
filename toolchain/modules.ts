import { execa } from "execa";
import { goEnvironment } from "./go.ts";
import { Problem } from "./problem.ts";

/**
 * The folder in Go's module cache that holds a module at the version that the go.mod in folder requires.
 *
 * It is downloaded where it is not there yet, and checked against go.sum.
 */
export const moduleFolder = async (folder: string, module: string): Promise<string> => {
  const { stdout, exitCode } = await execa("go", ["mod", "download", "-json", module], {
    cwd: folder,
    env: goEnvironment,
    reject: false,
  });
  const found = JSON.parse(stdout === "" ? "{}" : stdout) as { Dir?: string; Error?: string };
  if (exitCode !== 0 || found.Dir === undefined) {
    const reason = (found.Error ?? "unknown").split("\n")[0] ?? "";
    throw new Problem(`Go could not download ${module}: ${reason}. Check the network and GOPROXY, then run this again`);
  }
  return found.Dir;
};
