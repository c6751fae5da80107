import { execa } from "execa";
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { goEnvironment, type GoEnvironment } from "./go.ts";
import { requiredVersion } from "./gomod.ts";
import { Problem } from "./problem.ts";

/** The folder of each module that Go named to this process, by what it was asked. */
const named = new Map<string, string>();

/**
 * Returns the folder in Go's module cache that contains a module, in the version that the folder's go.mod requires.
 *
 * A missing module is downloaded and verified against go.sum.
 */
export const moduleFolder = async (
  folder: string,
  module: string,
  environment: GoEnvironment = goEnvironment,
): Promise<string> => {
  const [found = ""] = await moduleFolders(folder, [module], environment);
  return found;
};

/** Like {@link moduleFolder}, for several modules at once. */
export const moduleFolders = async (
  folder: string,
  modules: readonly string[],
  environment: GoEnvironment = goEnvironment,
): Promise<string[]> => {
  const goMod = await readFile(join(folder, "go.mod"), "utf8");
  // An explicit version selects the pinned one, even if other modules require a newer one.
  const wanted = modules.map((module) => `${module}@${requiredVersion(goMod, module)}`);
  const question = (each: string): string => JSON.stringify([folder, each, environment]);
  const unknown = wanted.filter((each) => !existsSync(named.get(question(each)) ?? ""));
  for (const [each, found] of await ask(folder, unknown, environment)) named.set(question(each), found);
  return wanted.map((each) => named.get(question(each)) ?? "");
};

/** Asks Go for modules in the form `module@version`, and returns their folders by that. */
const ask = async (
  folder: string,
  wanted: readonly string[],
  environment: GoEnvironment,
): Promise<(readonly [string, string])[]> => {
  if (wanted.length === 0) return [];
  const { stdout } = await execa("go", ["mod", "download", "-json", ...wanted], {
    cwd: folder,
    env: environment,
    reject: false,
  });
  const downloads = stdout.split(/^(?=\{)/m).filter((each) => each !== "");
  const answers = downloads.map((each) => JSON.parse(each) as { Path: string; Dir?: string; Error?: string });
  return wanted.map((each) => {
    const module = each.slice(0, each.lastIndexOf("@"));
    const { Dir, Error: error } = answers.find(({ Path }) => Path === module) ?? {};
    if (Dir !== undefined) return [each, Dir] as const;
    const reason = (error ?? "unknown").split("\n")[0] ?? "";
    throw new Problem(`Go could not download ${module}: ${reason}. Check the network and GOPROXY, then run this again`);
  });
};
