import { createHash } from "node:crypto";
import type { Asset, Release } from "./releases.ts";

/** The SHA-256 digests of one version of a release, in hex: by platform, or of the image for all platforms. */
export interface Digests {
  version: string;
  image?: string;
  [platform: string]: string | undefined;
}

/** A release to download for this machine. */
export interface Wanted {
  /** URL of the file, or reference of the image. */
  from: string;
  kind: "file" | "image";
  packed: Release["packed"];
  /** SHA-256 in hex. */
  digest: string;
  asset: Asset;
  /** The path of each tool in the release. */
  holds: Record<string, string>;
}

/** A release, and the tools to extract from it. */
export interface Group {
  wanted: Wanted;
  names: string[];
}

/** Returns the name of a release, which is that of its first tool. */
export const releaseName = (release: Release): string => Object.keys(release.holds)[0] ?? "";

/** Returns the release to download for a tool, or the reason why there is none. */
export const wantedOf = (
  name: string,
  version: string,
  platform: string,
  releases: readonly Release[],
  digests: Readonly<Record<string, Digests>>,
): Wanted | { reason: string } => {
  const release = releases.find(({ holds }) => name in holds);
  if (release === undefined) return { reason: "no release file" };
  const known = digests[releaseName(release)];
  const digest = known?.version === version ? (known.image ?? known[platform]) : undefined;
  if (digest === undefined) return { reason: "digest unknown" };
  return { ...located(release, version, platform), digest };
};

/** Returns the location of a release for a version and a platform. */
export const located = (release: Release, version: string, platform: string): Omit<Wanted, "digest"> => {
  const [os = "", arch = ""] = platform.split("/");
  const asset: Asset = { version, os, arch };
  const from = "file" in release.from ? release.from.file(asset) : release.from.image(asset);
  const holds = Object.fromEntries(Object.entries(release.holds).map(([tool, path]) => [tool, path(asset)]));
  return { from, kind: "file" in release.from ? "file" : "image", packed: release.packed, asset, holds };
};

/** Returns the cache key of a downloaded program. It contains everything that determines the program's content. */
export const downloadKey = (wanted: Wanted, name: string): string => {
  const { from, digest, holds, asset } = wanted;
  const parts = JSON.stringify([from, digest, holds[name], asset.os, asset.arch]);
  return createHash("sha256").update(parts).digest("hex").slice(0, 32);
};
