import semver from "semver";

import { availableCharts } from "./charts.ts";
import { askProgram } from "./program.ts";
import type { Finding } from "./render.ts";
import { chartOf } from "./rules/definitions.ts";
import { at, called, findingAt, groupOf, textAt, type Tree, type TreeObject } from "./rules/rule.ts";

/** What Helm says of the releases whose charts can be had, and the others. */
export interface CheckedValues {
  findings: Finding[];
  /** Releases whose values nobody looked at, with the reason. */
  unchecked: string[];
}

/**
 * Checks values against their charts' schemas and templates, with Helm's own code.
 *
 * @param root root of the checkout whose toolchain pins the charts
 */
export const checkValues = async (tree: Tree, root: string): Promise<CheckedValues> => {
  const releases = tree.objects.filter(
    (each) => each.kind === "HelmRelease" && groupOf(each) === "helm.toolkit.fluxcd.io",
  );
  const available = await availableCharts(root);
  const chosen = releases.map((release) => ({
    release,
    chart: available.find(
      ({ name, version }) => name === chartOf(tree, release) && version === semver.clean(versionOf(tree, release)),
    ),
  }));
  const checkable = chosen.flatMap(({ release, chart }) => (chart === undefined ? [] : [{ release, chart }]));
  const answer = await askProgram<{ releases: { path: string; message: string }[][] }>("values", {
    kinds: tree.objects.map(
      ({ apiVersion, kind }) => `${apiVersion.includes("/") ? "" : "core/"}${apiVersion}/${kind}`,
    ),
    releases: checkable.map(({ release, chart: { folder, with: others } }) => ({
      ...{ name: release.name, namespace: release.namespace ?? "", folder, with: others },
      values: at(release.object, "spec", "values") ?? {},
    })),
  });
  return {
    findings: checkable.flatMap(({ release }, index) =>
      (answer.releases[index] ?? []).map(({ path, message }) =>
        findingAt(tree, release, {
          path: ["spec", "values", ...path.split(".").filter((key) => key !== "")],
          message: `${called(release)}: its chart refuses values${path === "" ? "" : `.${path}`}: ${message}`,
          advice: `write it as the chart has it: helm show values, at ${versionOf(tree, release)}`,
        }),
      ),
    ),
    unchecked: [
      ...new Set(
        chosen
          .filter(({ chart }) => chart === undefined)
          .map(({ release }) => `${chartOf(tree, release)} ${versionOf(tree, release)}`.trim()),
      ),
    ].sort(),
  };
};

const versionOf = (tree: Tree, release: TreeObject): string => {
  const own = textAt(release.object, "spec", "chart", "spec", "version");
  const name = textAt(release.object, "spec", "chartRef", "name");
  const source = tree.objects.find(
    (each) => each.kind === "OCIRepository" && each.name === name && each.namespace === release.namespace,
  );
  return own ?? textAt(source?.object, "spec", "ref", "tag") ?? "";
};
