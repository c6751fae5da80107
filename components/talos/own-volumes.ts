import type { MachineDocument } from "./documents-in.ts";
import { section } from "./section.ts";

/** Documents of volumes that Talos makes for a person. Source: siderolabs/talos v1.13.9, pkg/machinery/config/types/block. */
export const madeVolumes = ["UserVolumeConfig", "RawVolumeConfig", "SwapVolumeConfig"];

const kinds = [...madeVolumes, "ExistingVolumeConfig"];

/**
 * Returns the volumes of a machine that are not Talos's own, by their names, and the disks of the older `machine.disks`.
 *
 * A wipe of the system disk takes those that are on it. On other disks they stay, and what locks their keys to STATE does not.
 */
export const ownVolumes = (documents: readonly MachineDocument[]): string[] => [
  ...new Set(
    documents.flatMap(({ kind, name, machine }) => {
      if (kinds.includes(String(kind))) return [String(name)];
      const { disks } = section(machine);
      return kind === undefined && Array.isArray(disks) ? disks.map((disk) => String(section(disk).device)) : [];
    }),
  ),
];
