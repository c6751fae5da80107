import { access, readdir } from "node:fs/promises";
import { homedir } from "node:os";
import { delimiter, join } from "node:path";

import { vendorPlugin } from "../../toolchain/locate.ts";
import { tools } from "../../toolchain/tools.ts";
import { fine, listed, warning, type Finding } from "./finding.ts";

/** A plugin that the program's packages ask for, and where it is. */
export interface Plugin {
  /** @example "proxmoxve" */
  name: string;
  /** The release that the package was made for, without a leading `v`. */
  version: string;
  /** Releases in Pulumi's plugin folder. */
  installed: string[];
  /** The folder of PATH that has a plugin of this name, of a release that nobody knows. */
  onPath: string | undefined;
}

const check = "computer plugins";

/**
 * The engine takes a plugin on PATH before one in its folder, and downloads what it has neither of.
 *
 * Source: pulumi v3.259.0, sdk/go/common/workspace/plugins.go, getPluginPath.
 *
 * @param isLab whether the lab put its own plugins on PATH
 */
export const pluginFindings = (plugins: readonly Plugin[], isLab: boolean): Finding[] => {
  const onPath = plugins.flatMap((plugin) => (plugin.onPath === undefined ? [] : [{ ...plugin, at: plugin.onPath }]));
  if (onPath.length > 0 && !isLab) {
    return [
      warning(
        check,
        `${listed(onPath.map(({ name, at }) => `${name} is on PATH, in ${at}`))}, and would be taken, whichever release it is`,
        "remove it from PATH, or set PULUMI_IGNORE_AMBIENT_PLUGINS=true",
      ),
    ];
  }
  const missing = plugins.filter((each) => each.onPath === undefined && !each.installed.includes(each.version));
  if (missing.length > 0)
    return [
      warning(check, listed(missing.map(lacking)), "pulumi install brings them; an update would download them first"),
    ];
  return [
    fine(
      check,
      listed(plugins.map(({ name, version, onPath: at }) => (at ? `${name} of the lab` : `${name} ${version}`))),
    ),
  ];
};

const lacking = ({ name, version, installed }: Plugin): string =>
  `${name} ${version} is not installed${installed.length > 0 ? `, but ${listed(installed)}` : ""}`;

/** Looks for the plugins of the packages that are installed in the checkout. */
export const pluginsOf = async (root: string, environment: NodeJS.ProcessEnv): Promise<Plugin[]> => {
  const { PULUMI_HOME: home = join(homedir(), ".pulumi"), PULUMI_IGNORE_AMBIENT_PLUGINS: ignored } = environment;
  const folders = await readdir(join(home, "plugins")).catch((): string[] => []);
  const path = ignored === "true" || ignored === "1" ? [] : (environment.PATH ?? "").split(delimiter).filter(Boolean);
  const found = tools.map(async (tool): Promise<Plugin[]> => {
    const plugin = await vendorPlugin(tool, root);
    if (plugin === undefined) return [];
    const prefix = `resource-${plugin.name}-v`;
    const versions = folders.filter((each) => each.startsWith(prefix) && !/\.(lock|partial)$/.test(each));
    const holders = await Promise.all(path.map((folder) => isThere(join(folder, tool.name))));
    const installed = versions.map((each) => each.slice(prefix.length)).sort();
    return [{ ...plugin, installed, onPath: path.find((_, index) => holders[index]) }];
  });
  return (await Promise.all(found)).flat();
};

const isThere = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );
