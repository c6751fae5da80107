import { execa } from "execa";
import { access, constants, readFile } from "node:fs/promises";
import { homedir } from "node:os";
import { delimiter, dirname, join, sep } from "node:path";
import semver from "semver";
import type { OnPath, Tool } from "./tools.ts";

/** Where a program was found. */
export type Source = "PATH" | "plugin folder" | "download" | "cache" | "build";

export interface Located {
  path: string;
  /** Without a leading `v`. Empty for Hearth's own programs. */
  version: string;
  source: Source;
}

const isExecutable = (path: string): Promise<boolean> =>
  access(path, constants.X_OK).then(
    () => true,
    () => false,
  );

/** Extracts a version from a program's output, for example `3.6.6` from `etcd Version: 3.6.6`. */
export const printedVersion = (output: string): string | undefined => /(?<![\d.])v?(\d+\.\d+\.\d+)/.exec(output)?.[1];

const askVersion = async (path: string, { ask }: OnPath): Promise<string | undefined> => {
  const { stdout, stderr } = await execa(path, ask, { reject: false, timeout: 20_000, stdin: "ignore" });
  return printedVersion(`${stdout}\n${stderr}`);
};

/** Returns the folders of PATH that may contain installed programs, without those of npm and the lab. */
const pathFolders = (env: NodeJS.ProcessEnv): string[] =>
  [...new Set((env.PATH ?? "").split(delimiter))].filter(
    (folder) => folder !== "" && !folder.includes("node_modules") && !folder.split(sep).includes(".lab"),
  );

/** Finds the first program on PATH that has an accepted version. */
export const onPath = async (
  tool: Tool,
  pinned: string,
  env: NodeJS.ProcessEnv = process.env,
): Promise<Located | undefined> => {
  if (tool.onPath === undefined) return undefined;
  const accepted = tool.onPath.accepts(pinned);
  for (const folder of pathFolders(env)) {
    const path = join(folder, tool.name);
    if (!(await isExecutable(path))) continue;
    const version = await askVersion(path, tool.onPath);
    if (version !== undefined && semver.satisfies(version, accepted)) return { path, version, source: "PATH" };
  }
  return undefined;
};

/** Finds a program beside another one from PATH that it ships with. */
export const besides = async (tool: Tool, companion: Located): Promise<Located | undefined> => {
  if (companion.source !== "PATH") return undefined;
  const path = join(dirname(companion.path), tool.name);
  return (await isExecutable(path)) ? { path, version: companion.version, source: "PATH" } : undefined;
};

/** Returns Pulumi's name of a vendor's plugin, and the version that its npm package requires. */
export const vendorPlugin = async (
  tool: Tool,
  root: string,
): Promise<{ name: string; version: string } | undefined> => {
  if (tool.vendorPlugin === undefined) return undefined;
  const manifest = await readFile(join(root, "node_modules", tool.vendorPlugin, "package.json"), "utf8").catch(
    () => "{}",
  );
  return (JSON.parse(manifest) as { pulumi?: { name: string; version: string } }).pulumi;
};

/** Finds the vendor's plugin in Pulumi's plugin folder, in the version that its npm package requires. */
export const inPluginFolder = async (
  tool: Tool,
  root: string,
  env: NodeJS.ProcessEnv = process.env,
): Promise<Located | undefined> => {
  const pulumi = await vendorPlugin(tool, root);
  if (pulumi === undefined) return undefined;
  const home = env.PULUMI_HOME ?? join(homedir(), ".pulumi");
  const path = join(home, "plugins", `resource-${pulumi.name}-v${pulumi.version}`, tool.name);
  return (await isExecutable(path)) ? { path, version: pulumi.version, source: "plugin folder" } : undefined;
};
