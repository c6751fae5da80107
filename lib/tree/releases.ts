import { join } from "node:path";

import semver from "semver";

import { at, chartOf, isRelease, listAt, textAt, treeObject, type AskedChart } from "../../infra/tree-objects.ts";
import { availableCharts } from "./charts.ts";
import type { KubernetesObject } from "./created.ts";
import { askProgram } from "./program.ts";
import type { Finding, RenderedCluster } from "./render.ts";

type RenderedObject = RenderedCluster["objects"][number];

/** An object that a release would create. Its file and line are the release's. */
export type ReleasedObject = RenderedObject & { release: RenderedObject };

/** What Helm says of the releases whose charts can be had, and the others. */
export interface RenderedReleases {
  /** What the releases would create, hooks included. */
  objects: ReleasedObject[];
  /** Values that a chart refuses, by release. */
  refused: { release: RenderedObject; version: string; path: string; message: string }[];
  /** Releases that were rendered with their chart as it is published. */
  published: Set<RenderedObject>;
  /** Releases whose chart is not available here. */
  unrendered: RenderedObject[];
  /** Their charts, with the versions. */
  withoutChart: string[];
}

/** A chart as files. */
export interface ChartSource {
  /** Its folder or its archive. */
  path: string;
  /** Further folders by their path in the chart. */
  with: Record<string, string>;
  /** Whether it is as its project publishes it. A project's module may have no versions of images yet. */
  isPublished?: true;
}

/** Finds the chart that a release asks for. Undefined if it is not available here. */
export type FindChart = (asked: AskedChart) => ChartSource | undefined | Promise<ChartSource | undefined>;

/**
 * Finds charts in the toolchain's Go modules.
 *
 * @param root root of the checkout whose toolchain pins the charts; this one unless it is given
 */
export const chartsOfModules = async (root = join(import.meta.dirname, "../..")): Promise<FindChart> => {
  const available = await availableCharts(root);
  return ({ name, version }) => {
    const found = available.find(
      (chart) => chart.name === name && chart.version === (semver.clean(version) ?? version),
    );
    return found && { path: found.folder, with: found.with };
  };
};

/**
 * Renders releases with their charts' templates and Helm's own code.
 *
 * @param checkout root of the checkout, which may contain charts itself
 * @param schemas file of all schemas; charts test for Kubernetes' kinds in it
 */
export const renderReleases = async (
  { objects }: Pick<RenderedCluster, "objects">,
  checkout: string,
  find: FindChart,
  schemas: string,
): Promise<RenderedReleases> => {
  const chosen = await Promise.all(
    objects.filter(isRelease).map(async (release) => {
      const asked = chartOf(objects, release);
      const chart = asked.kind === "GitRepository" ? ownChart(checkout, asked) : await find(asked);
      const values = valuesOf(release.object);
      return { release, asked, values, chart: values === undefined ? undefined : chart };
    }),
  );
  const rendered = chosen.flatMap(({ chart, ...each }) => (chart === undefined ? [] : [{ ...each, chart }]));
  const unrendered = chosen.filter(({ chart }) => chart === undefined);
  const request = {
    schemas,
    kinds: objects.map(({ apiVersion, kind }) => `${apiVersion.includes("/") ? "" : "core/"}${apiVersion}/${kind}`),
    releases: rendered.map(({ release, values, chart: { path, with: others } }) => ({
      name: textAt(release.object, "spec", "releaseName") ?? release.name,
      namespace: textAt(release.object, "spec", "targetNamespace") ?? release.namespace ?? "",
      ...{ path, with: others, values },
    })),
  };
  const read = [schemas, ...rendered.flatMap(({ chart }) => [chart.path, ...Object.values(chart.with)])];
  const answer = await askProgram<Answer>("values", request, Object.fromEntries(read.map((path) => [path, path])));
  return {
    objects: rendered.flatMap(({ release }, index) =>
      (answer.releases[index]?.objects ?? []).map((object) => releasedObject(release, object)),
    ),
    refused: rendered.flatMap(({ release, asked: { version } }, index) =>
      (answer.releases[index]?.errors ?? []).map((error) => ({ release, version, ...error })),
    ),
    published: new Set(rendered.filter(({ chart }) => chart.isPublished).map(({ release }) => release)),
    unrendered: unrendered.map(({ release }) => release),
    withoutChart: [...new Set(unrendered.map(({ asked }) => `${asked.name} ${asked.version}`.trim()))].sort(),
  };
};

interface Answer {
  releases: { errors: { path: string; message: string }[]; objects: KubernetesObject[] }[];
}

/** A chart in the repository itself. */
const ownChart = (checkout: string, { name }: AskedChart): ChartSource => ({
  ...{ path: join(checkout, name), with: {} },
  isPublished: true,
});

/** A release's values. What comes from a Secret at a path is a placeholder; a whole file of values is unknown. */
const valuesOf = (release: KubernetesObject): Record<string, unknown> | undefined => {
  const values = structuredClone(at(release, "spec", "values") ?? {}) as Record<string, unknown>;
  for (const each of listAt(release, "spec", "valuesFrom")) {
    const path = textAt(each, "targetPath");
    if (path === undefined) return undefined;
    set(values, path.split("."), "placeholder");
  }
  return values;
};

const set = (values: Record<string, unknown>, [key = "", ...rest]: string[], value: string): void => {
  if (rest.length === 0) {
    values[key] = value;
    return;
  }
  const inner = (values[key] ??= {}) as Record<string, unknown>;
  set(inner, rest, value);
};

const releasedObject = (release: RenderedObject, object: KubernetesObject): ReleasedObject => ({
  ...treeObject(object),
  ...{ object, release, kustomization: release.kustomization, file: release.file, encrypted: false },
  ...(release.line !== undefined && { line: release.line }),
});

/** A refusal as a finding, at the value that it is about. */
export const refusal = (
  { release, version, path, message }: RenderedReleases["refused"][number],
  locate: (what: { path: string[]; message: string; advice: string }) => Finding,
): Finding =>
  locate({
    path: ["spec", "values", ...path.split(".").filter((key) => key !== "")],
    message: `HelmRelease ${release.namespace ?? ""}/${release.name}: its chart refuses values${path === "" ? "" : `.${path}`}: ${message}`,
    advice: `write it as the chart has it: helm show values, at ${version}`,
  });
