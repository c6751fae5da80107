import semver from "semver";

import { at, chartOf, isRelease } from "../../infra/tree-objects.ts";
import { availableCharts } from "./charts.ts";
import { askProgram } from "./program.ts";
import type { Finding } from "./render.ts";
import { called, findingAt, type Tree } from "./rules/rule.ts";

/** What Helm says of the releases whose charts can be had, and the others. */
export interface CheckedValues {
  findings: Finding[];
  /** Releases whose values were not checked, with the reason. */
  unchecked: string[];
}

/**
 * Checks values against their charts' schemas and templates, with Helm's own code.
 *
 * @param root root of the checkout whose toolchain pins the charts
 */
export const checkValues = async (tree: Tree, root: string): Promise<CheckedValues> => {
  const releases = tree.objects.filter(isRelease);
  const available = await availableCharts(root);
  const chosen = releases.map((release) => {
    const asked = chartOf(tree.objects, release);
    const chart = available.find(({ name, version }) => name === asked.name && version === semver.clean(asked.version));
    return { release, asked, chart };
  });
  const checkable = chosen.flatMap(({ chart, ...each }) => (chart === undefined ? [] : [{ ...each, chart }]));
  const answer = await askProgram<{ releases: { path: string; message: string }[][] }>("values", {
    kinds: tree.objects.map(
      ({ apiVersion, kind }) => `${apiVersion.includes("/") ? "" : "core/"}${apiVersion}/${kind}`,
    ),
    releases: checkable.map(({ release, chart: { folder, with: others } }) => ({
      name: release.name,
      namespace: release.namespace ?? "",
      folder,
      with: others,
      values: at(release.object, "spec", "values") ?? {},
    })),
  });
  return {
    findings: checkable.flatMap(({ release, asked }, index) =>
      (answer.releases[index] ?? []).map(({ path, message }) =>
        findingAt(tree, release, {
          path: ["spec", "values", ...path.split(".").filter((key) => key !== "")],
          message: `${called(release)}: its chart refuses values${path === "" ? "" : `.${path}`}: ${message}`,
          advice: `write it as the chart has it: helm show values, at ${asked.version}`,
        }),
      ),
    ),
    unchecked: [
      ...new Set(
        chosen.filter(({ chart }) => chart === undefined).map(({ asked }) => `${asked.name} ${asked.version}`.trim()),
      ),
    ].sort(),
  };
};
