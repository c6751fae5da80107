import { readFile } from "node:fs/promises";
import { join } from "node:path";

import semver from "semver";
import { parse } from "yaml";

import { requiredVersion } from "../../toolchain/gomod.ts";
import { moduleFolders } from "../../toolchain/modules.ts";
import { projects } from "../../toolchain/projects.ts";

/** A chart that is in its project's Go module. */
export interface AvailableChart {
  name: string;
  /** Folder in Go's module cache. */
  folder: string;
  /** Further folders by their path in the chart. */
  with: Record<string, string>;
  /** Release, without a leading `v`. */
  version: string;
  /** Whether the API server calls its pods. */
  hasWebhook: boolean;
  /** Whether it is checked only, and the lab does not install it. */
  isOnlyChecked: boolean;
  /** Project whose definitions it brings. */
  project: string;
}

/** The charts that the toolchain's modules hold. */
export const availableCharts = async (root: string): Promise<AvailableChart[]> => {
  const folder = join(root, "toolchain", "charts");
  const goMod = await readFile(join(folder, "go.mod"), "utf8");
  const holding = projects.filter(({ charts }) => charts !== undefined);
  const folders = await moduleFolders(
    folder,
    holding.map(({ module }) => module),
  );
  const charts = holding.flatMap(({ name: project, module, charts: held = {} }, index) =>
    Object.entries(held).map(async ([name, chart]): Promise<AvailableChart> => {
      const below = (path: string | { project: string; folder: string }): string => {
        if (typeof path === "string") return join(folders[index] ?? "", path);
        return join(folders[holding.findIndex((other) => other.name === path.project)] ?? "", path.folder);
      };
      const chartYaml = await readFile(below(join(chart.folder, "Chart.yaml")), "utf8");
      return {
        name,
        folder: below(chart.folder),
        with: Object.fromEntries(Object.entries(chart.with ?? {}).map(([path, from]) => [path, below(from)])),
        version: releaseOf(chart.hasModuleVersion ? "" : chartYaml, requiredVersion(goMod, module)),
        hasWebhook: chart.hasWebhook ?? false,
        isOnlyChecked: chart.isOnlyChecked ?? false,
        project,
      };
    }),
  );
  return Promise.all(charts);
};

/** The release of a chart's folder, for projects that fill it in only when they release. */
export const releaseOf = (chartYaml: string, moduleVersion: string): string => {
  const { version = "" } = (parse(chartYaml) ?? {}) as { version?: string };
  const isFiller = ["0.0.0", "0.0.1"].includes(semver.clean(version) ?? "0.0.0");
  return semver.clean(isFiller ? moduleVersion : version) ?? version;
};
