import { selectsDisk, type DiskFacts } from "../../../components/talos/cel/disks.ts";
import type { ConfigurationProblem } from "../../config/error.ts";
import { bytes, leastEphemeral } from "../../config/sizes.ts";
import { bootDisk, type ProxmoxNode } from "./node.ts";

const gibibyte = 1024 ** 3;

interface Disk extends DiskFacts {
  size: number;
  path: PropertyKey[];
}

/** A disk image counts as installed, so Talos installs nothing. Source: siderolabs/talos v1.13.9, the platform nocloud. */
const installTargets = (name: string, { installDisk, diskSelector }: ProxmoxNode): ConfigurationProblem[] => {
  const problem = `has no effect on a virtual machine, which boots from ${bootDisk}`;
  const advice = "leave it out";
  return [
    ...(diskSelector ? [{ path: ["nodes", name, "diskSelector"], problem, advice }] : []),
    ...(installDisk === bootDisk
      ? []
      : [{ path: ["nodes", name, "installDisk"], problem: `${installDisk} ${problem}`, advice }]),
  ];
};

const disksOf = (name: string, { proxmox: { disk, extraDisks } }: ProxmoxNode): Disk[] => [
  { path: ["nodes", name, "proxmox", "disk"], size: disk * gibibyte, system: true, virtual: true },
  ...extraDisks.map(({ size }, index) => ({
    path: ["nodes", name, "proxmox", "extraDisks", index, "size"],
    size: size * gibibyte,
    system: false,
    virtual: true,
  })),
];

/** A disk that a machine gets through a PCI mapping is not known. */
const selectorsFindDisks = (name: string, node: ProxmoxNode): ConfigurationProblem[] => {
  if (node.proxmox.pciMappings.length > 0) return [];
  const disks = disksOf(name, node);
  const selectors = [
    ...(node.ephemeral?.disk === undefined ? [] : [{ path: ["ephemeral", "disk"], disk: node.ephemeral.disk }]),
    ...Object.entries(node.volumes).map(([volume, { disk }]) => ({ path: ["volumes", volume, "disk"], disk })),
  ];
  return selectors
    .filter(({ disk }) => disks.every((facts) => selectsDisk(disk, facts) === false))
    .filter(({ disk }) => [true, false].some((system) => selectsDisk(disk, { system }) !== false))
    .map(({ path, disk }) => ({
      path: ["nodes", name, ...path],
      problem: `selects none of the machine's disks`,
      advice: disk.includes("!system_disk")
        ? "add a disk to extraDisks that it selects"
        : "the machine's disks have the transport virtio, and the sizes that disk and extraDisks say",
    }));
};

/**
 * Finds a disk that is too small for the volumes that can only be on it.
 *
 * EPHEMERAL is created before the others and takes what its maximum allows.
 */
const volumesFit = (name: string, { ephemeral, volumes, ...node }: ProxmoxNode): ConfigurationProblem[] => {
  const disks = disksOf(name, { ephemeral, volumes, ...node });
  if (node.proxmox.pciMappings.length > 0) return [];
  return disks.flatMap((disk): ConfigurationProblem[] => {
    const only = (selector: string) =>
      disks.every((other) => selectsDisk(selector, other) === (other === disk)) || undefined;
    const here = Object.entries(volumes).filter(([, { disk: selector }]) => only(selector));
    const needed = here.reduce((sum, [, { minSize }]) => sum + (bytes(minSize) ?? 0), 0);
    const holdsEphemeral = ephemeral?.disk === undefined ? disk.system : only(ephemeral.disk);
    const least = holdsEphemeral ? Math.max(bytes(ephemeral?.minSize) ?? 0, leastEphemeral) : 0;
    const what = [...(holdsEphemeral ? ["EPHEMERAL"] : []), ...here.map(([volume]) => volume)].join(", ");
    const size = gib(disk.size);
    if (holdsEphemeral && least > disk.size) {
      return [
        {
          path: ["nodes", name, "ephemeral", "minSize"],
          problem: `${String(ephemeral?.minSize)} is more than the machine's disk of ${size}`,
          advice: "make the disk larger, or minSize smaller",
        },
      ];
    }
    if (least + needed > disk.size) {
      return [
        {
          path: disk.path,
          problem: `${size} is less than the ${gib(least + needed)} that ${what} need at least`,
          advice: "make the disk larger, or minSize of its volumes smaller",
        },
      ];
    }
    const most = holdsEphemeral ? mostOf(ephemeral?.maxSize, disk.size) : undefined;
    if (most === undefined || most + needed <= disk.size) return [];
    return [
      {
        path: ["nodes", name, "ephemeral", "maxSize"],
        problem: `${String(ephemeral?.maxSize)} leaves ${gib(disk.size - most)} of ${size}, and ${here.map(([volume]) => volume).join(", ")} need ${gib(needed)}`,
        advice: "make it smaller, or the disk larger",
      },
    ];
  });
};

/** The bytes that a volume takes at most, or undefined without a maximum. */
const mostOf = (maxSize: string | undefined, disk: number): number | undefined => {
  if (maxSize === undefined) return undefined;
  const share = /^(\d+)%$/.exec(maxSize)?.[1];
  return Math.min(disk, share === undefined ? (bytes(maxSize) ?? disk) : (disk * Number(share)) / 100);
};

/** Writes bytes as GiB, with one decimal at most. */
const gib = (size: number): string => `${Math.round((size / gibibyte) * 10) / 10} GiB`;

/** Finds what a virtual machine's disks are not, or cannot hold. */
export const diskProblems = (name: string, node: ProxmoxNode): ConfigurationProblem[] => [
  ...installTargets(name, node),
  ...selectorsFindDisks(name, node),
  ...volumesFit(name, node),
];
