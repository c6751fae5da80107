import type { TalosRelease } from "./release.ts";
import { v1_12 } from "./v1.12.ts";
import { v1_13 } from "./v1.13.ts";

export type { TalosRelease, WhileRunning } from "./release.ts";

/** The Talos minors that Hearth knows, oldest first. To add one, write its file and add it to this list. */
export const talosReleases: readonly TalosRelease[] = [v1_12, v1_13];

/**
 * The Talos minor whose machinery the lab's Talos plugin is built with. The plugin refuses document kinds that it does not know
 * before any machine sees them. Published plugins are newer (pulumi-talos 0.8 has v1.13), and both have to accept a configuration.
 */
export const pluginMinor = "v1.12";

/** The minor of a release: `v1.13` of `v1.13.9` and of `1.13`. */
export const minorOf = (version: string): string => `v${version.replace(/^v/, "").split(".").slice(0, 2).join(".")}`;

/** Returns what Hearth knows of the minor of a version, or undefined for an unknown minor. */
export const releaseOf = (version: string, releases = talosReleases): TalosRelease | undefined =>
  releases.find(({ minor }) => minor === minorOf(version));
