import semver from "semver";

import { at, textAt, type AskedChart } from "../../infra/tree-objects.ts";

/** Where a chart is published. */
export interface ChartOrigin {
  kind: "registry" | "repository";
  /** Of the chart's images in a registry, `oci://…/NAME`, or of a Helm repository with the chart's name, `https://…/NAME`. */
  url: string;
  name: string;
  version: string;
  /** Whether the registry is asked without TLS. */
  isPlain: boolean;
}

/** A chart that is published nowhere where it could be pulled, and why. */
export interface NoOrigin {
  reason: string;
}

/** A chart in one word, as it is named in the file of digests and in messages. */
export const chartKey = ({ url, version }: Pick<ChartOrigin, "url" | "version">): string => `${url}:${version}`;

/**
 * Where Flux would pull the chart of a release from.
 *
 * Source: source-controller v1.9.4, api/v1: HelmRepository (`type: oci`), OCIRepository; a tag has `_` where a version has `+` (Helm, pkg/registry).
 */
export const originOf = ({ kind, source, name, version }: AskedChart): ChartOrigin | NoOrigin => {
  const url = (textAt(source?.object, "spec", "url") ?? "").replace(/\/+$/, "");
  if (source === undefined || url === "") return { reason: `the tree has no ${kind === "" ? "source" : kind} for it` };
  if (semver.valid(version) === null) {
    return { reason: `its version is "${version}", which is no single release: name one` };
  }
  const isPlain = at(source.object, "spec", "insecure") === true;
  if (kind === "OCIRepository") return { kind: "registry", url, name, version, isPlain };
  if (kind !== "HelmRepository") return { reason: `it comes from a ${kind}` };
  const isRegistry = url.startsWith("oci://");
  return { kind: isRegistry ? "registry" : "repository", url: `${url}/${name}`, name, version, isPlain };
};
