import { stringify } from "yaml";

import type { Disk } from "../../lib/cluster/hardware.ts";
import type { Machine } from "./machine.ts";

export interface NodeRole {
  role: "controlplane" | "worker";
  /** Name of the image profile. */
  image: string;
}

/**
 * A machine as a node of a stack file: lines without indentation, the node's name first.
 *
 * Whatever the machine tells of itself adds no line, and so no key.
 */
export const nodeLines = (name: string, machine: Machine, { role, image }: NodeRole): string[] => {
  const { product, threads, memoryMiB, isSecureBoot, release, address, link, otherLinks } = machine;
  const memory = `${Math.round(memoryMiB / 1024).toString()} GiB`;
  const facts = [product, `${threads.toString()} threads`, memory, `SecureBoot ${isSecureBoot ? "on" : "off"}`];
  const others = otherLinks.map((each) => `${each.name} ${each.mac}`).join(", ");
  return [
    `${name}:`,
    `  # ${facts.filter((each) => each !== "").join(", ")}; booted Talos ${release}`,
    "  platform: metal",
    `  role: ${role}`,
    `  image: ${image}`,
    `  address: ${address}`,
    `  mac: ${scalar(link.mac)} # ${link.name}${others === "" ? "" : `; the others are ${others}`}`,
    ...diskLines(machine.disks).map((line) => `  ${line}`),
  ].map(plain);
};

/** Disks that Talos could be installed to. A stick may be the one that the machine booted from. */
export const installDisks = (disks: readonly Disk[]): Disk[] =>
  disks.filter(
    ({ cdrom, readonly, transport = "" }) =>
      cdrom !== true && readonly !== true && transport !== "" && transport !== "usb",
  );

const diskLines = (all: readonly Disk[]): string[] => {
  const disks = installDisks(all);
  const lines = disks.map((disk) => `${selects(disk, all)} # ${described(disk)}`);
  if (lines.length === 1) return lines;
  if (lines.length === 0)
    return ["# No disk can be installed to. What the machine has:", ...all.map((disk) => `#   ${described(disk)}`)];
  return [
    "# Talos overwrites the disk that it is installed to. Take one of these lines, and remove the others:",
    ...lines.map((line) => `# ${line}`),
  ];
};

/** Selects one disk and no other, by what stays when disks are added. Talos reads serial and WWID as patterns. */
const selects = (disk: Disk, all: readonly Disk[]): string => {
  for (const key of ["serial", "wwid"] as const) {
    const value = disk[key] ?? "";
    const isUnique = all.filter((other) => other[key] === value).length === 1;
    const isPattern = /[*?[\]{}\\]/.test(value);
    if (value !== "" && isUnique && !isPattern && plain(value) === value)
      return `diskSelector: { ${key}: ${JSON.stringify(value)} }`;
  }
  return `installDisk: ${scalar(disk.dev_path)}`;
};

const described = ({ dev_path: path, size, model = "", transport = "" }: Disk): string =>
  [path, `${Math.round(size / 1e9).toString()} GB`, model, transport].filter((each) => each !== "").join(", ");

/** A value in YAML, quoted where it has to be. */
const scalar = (text: string): string => stringify(plain(text), { lineWidth: 0 }).trimEnd();

/** One line of plain text. */
const plain = (text: string): string => text.replaceAll(/[^\x20-\x7e]+/g, " ");
