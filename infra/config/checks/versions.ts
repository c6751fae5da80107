import type { Check } from "./check.ts";

/**
 * The Kubernetes minors that each Talos minor supports, first and last.
 *
 * Source: siderolabs/talos, pkg/machinery/compatibility, of v1.13.9.
 */
const supported: Record<string, [first: number, last: number]> = {
  "1.12": [30, 35],
  "1.13": [31, 36],
};

/** The Talos minors whose machine configuration Hearth writes. */
const talosMinors = Object.keys(supported);

const [oldest = "", newest = ""] = [talosMinors[0], talosMinors.at(-1)];

/** The numbers of a version: `v1.13.9` is 1, 13 and 9. */
const numbers = (version: string): [major: number, minor: number] => {
  const [major = 0, minor = 0] = version.slice(1).split(".").map(Number);
  return [major, minor];
};

const minorOf = (version: string): string => numbers(version).join(".");

const knownTalos: Check = ({ cluster }) =>
  !cluster || minorOf(cluster.talos) in supported
    ? []
    : [
        {
          path: ["cluster", "talos"],
          problem: `${cluster.talos} is not a release that Hearth writes machine configuration for`,
          advice: `use a release of Talos v${oldest} to v${newest}`,
        },
      ];

const kubernetesOfTalos: Check = ({ cluster }) => {
  const range = cluster && supported[minorOf(cluster.talos)];
  if (!range) return [];
  const [first, last] = range;
  const [major, minor] = numbers(cluster.kubernetes);
  if (major === 1 && first <= minor && minor <= last) return [];
  const others = Object.entries(supported).filter(([, [from, to]]) => major === 1 && from <= minor && minor <= to);
  const instead = others.map(([talos]) => `, or Talos v${talos}`).join("");
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
  const [contract, talos] = [numbers(cluster.contract), numbers(cluster.talos)];
  if (contract[0] > talos[0] || (contract[0] === talos[0] && contract[1] > talos[1])) {
    return [
      {
        path,
        problem: `${cluster.contract} is newer than Talos ${cluster.talos}`,
        advice: `write the Talos minor that the cluster is created with, at most v${minorOf(cluster.talos)}`,
      },
    ];
  }
  if (minorOf(cluster.contract) in supported) return [];
  return [
    {
      path,
      problem: `${cluster.contract} is older than the documents that Hearth writes`,
      advice: `a cluster for Hearth is created with Talos v${oldest} or later`,
    },
  ];
};

export const versionChecks: Check[] = [knownTalos, kubernetesOfTalos, contractOfTalos];
