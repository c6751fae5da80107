import { stringify } from "yaml";

import type { TalosDocument } from "./documents/index.ts";
import { releaseOf, talosReleases } from "./releases/index.ts";
import type { ClusterSettings, MachineSettings } from "./settings.ts";

export type { ClusterSettings, FreeFormPatches, MachineSettings, Role } from "./settings.ts";

/** Renders the strategic merge patches of one machine, each a YAML document. */
export const machinePatches = (machine: MachineSettings, cluster: ClusterSettings): string[] =>
  machineDocuments(machine, cluster).map(patchText);

/** Serialises a patch for Talos. */
export const patchText = (document: TalosDocument): string => stringify(document, { lineWidth: 0 });

/** Returns the patches of a machine's generated configuration: the documents of its contract, then the free-form patches. */
export const machineDocuments = (
  machine: MachineSettings,
  cluster: ClusterSettings,
  releases = talosReleases,
): TalosDocument[] => {
  const release = releaseOf(cluster.contract, releases);
  if (!release) throw new Error(`Hearth writes no machine configuration for contract ${cluster.contract}`);
  return [...release.documents(machine, cluster), ...freeFormPatches(machine, cluster)];
};

const freeFormPatches = ({ role, patches }: MachineSettings, cluster: ClusterSettings): TalosDocument[] => [
  ...cluster.patches.all,
  ...(role === "controlplane" ? cluster.patches.controlPlanes : cluster.patches.workers),
  ...patches,
];
