import semver from "semver";

import { minorOf, releaseOf, talosReleases, type TalosRelease } from "../../../components/talos/releases/index.ts";
import type { Check } from "./check.ts";

/** The oldest and the newest minor that Hearth writes machine configuration for. */
const ends = (releases: readonly TalosRelease[]) => ({
  oldest: releases[0]?.minor ?? "",
  newest: releases.at(-1)?.minor ?? "",
});

const runs = ({ kubernetes: { first, last } }: TalosRelease, kubernetes: string): boolean =>
  semver.major(kubernetes) === 1 && first <= semver.minor(kubernetes) && semver.minor(kubernetes) <= last;

/** Checks whether the releases of Talos and Kubernetes and the contract are compatible. */
export const versionChecksOf = (releases: readonly TalosRelease[]): Check[] => {
  const knownTalos: Check = ({ cluster }) =>
    !cluster || releaseOf(cluster.talos, releases)
      ? []
      : [
          {
            path: ["cluster", "talos"],
            problem: `${cluster.talos} is not a release that Hearth writes machine configuration for`,
            advice: `use a release of Talos ${ends(releases).oldest} to ${ends(releases).newest}`,
          },
        ];

  const kubernetesOfTalos: Check = ({ cluster }) => {
    const release = cluster && releaseOf(cluster.talos, releases);
    if (!release || runs(release, cluster.kubernetes)) return [];
    const { first, last } = release.kubernetes;
    const others = releases.filter((other) => runs(other, cluster.kubernetes));
    const instead = others.map(({ minor }) => `, or Talos ${minor}`).join("");
    return [
      {
        path: ["cluster", "kubernetes"],
        problem: `Talos ${cluster.talos} does not support Kubernetes ${cluster.kubernetes}`,
        advice: `use Kubernetes v1.${first} to v1.${last}${instead}`,
      },
    ];
  };

  const contractOfTalos: Check = ({ cluster }) => {
    if (!cluster) return [];
    const path = ["cluster", "contract"];
    const minor = minorOf(cluster.talos);
    if (semver.gt(`${cluster.contract}.0`, `${minor}.0`)) {
      return [
        {
          path,
          problem: `${cluster.contract} is newer than Talos ${cluster.talos}`,
          advice: `write the Talos minor that the cluster is created with, at most ${minor}`,
        },
      ];
    }
    if (releaseOf(cluster.contract, releases)) return [];
    const { oldest, newest } = ends(releases);
    if (semver.gt(`${cluster.contract}.0`, `${newest}.0`)) {
      return [
        {
          path,
          problem: `${cluster.contract} is newer than the documents that Hearth writes`,
          advice: `a cluster for Hearth is created with Talos ${oldest} to ${newest}`,
        },
      ];
    }
    return [
      {
        path,
        problem: `${cluster.contract} is older than the documents that Hearth writes`,
        advice: `a cluster for Hearth is created with Talos ${oldest} or later`,
      },
    ];
  };

  return [knownTalos, kubernetesOfTalos, contractOfTalos];
};

export const versionChecks = versionChecksOf(talosReleases);
