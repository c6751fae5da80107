import { macOf, maintenanceResources, physicalLinks, type Disk, type Link } from "../../lib/cluster/hardware.ts";
import { machineState } from "../../lib/cluster/machine-state.ts";
import { Problem } from "../../toolchain/problem.ts";

/** What a machine in maintenance mode tells of itself. */
export interface Machine {
  /** Where it answered. */
  address: string;
  /** @example "Micro Computer Venus UM790" */
  product: string;
  /** Threads of all its processors. */
  threads: number;
  memoryMiB: number;
  isSecureBoot: boolean;
  /** The Talos release that it booted. */
  release: string;
  /** The link that has the address. */
  link: NamedLink;
  otherLinks: NamedLink[];
  disks: Disk[];
}

export interface NamedLink {
  name: string;
  mac: string;
}

interface SystemInformation {
  manufacturer?: string;
  productName?: string;
}

/**
 * Reads what a machine is made of. Whether it has a TPM, no resource says.
 *
 * Source of the resources: siderolabs/talos v1.13.9, pkg/machinery/resources/{hardware,network,runtime,block}.
 *
 * @param talosctl path of the program
 * @throws Problem if nobody answers, if the machine has a configuration already, or if no link of it has the address
 */
export const readMachine = async (talosctl: string, address: string): Promise<Machine> => {
  await requireMaintenance(address);
  const get = async <T>(type: string) => maintenanceResources<T>(talosctl, address, type);
  const [system, processors, memory, security, versions, links, addresses, disks] = await Promise.all([
    get<SystemInformation>("systeminformation"),
    get<{ threadCount?: number; coreCount?: number }>("processors"),
    get<{ sizeMiB?: number }>("memorymodules"),
    get<{ secureBoot: boolean }>("securitystate"),
    get<{ version: string }>("version"),
    get<Omit<Link, "name">>("links"),
    get<{ address: string; linkName: string }>("addresses"),
    get<Disk>("disks"),
  ]);
  const physical = physicalLinks(links.map(({ metadata, spec }) => ({ ...spec, name: metadata.id })));
  const named = physical.map((link) => ({ name: link.name, mac: macOf(link) }));
  const own = addresses.find(({ spec }) => spec.address.split("/")[0] === address)?.spec.linkName;
  const link = named.find(({ name }) => name === own);
  if (link === undefined)
    throw new Problem(
      `${address} is an address of ${own ?? "no link"} there, which is no hardware of its own: name the address that its network card has`,
    );
  const { manufacturer = "", productName = "" } = system[0]?.spec ?? {};
  return {
    address,
    product: `${manufacturer} ${productName}`.trim(),
    threads: sum(processors.map(({ spec }) => spec.threadCount ?? spec.coreCount ?? 0)),
    memoryMiB: sum(memory.map(({ spec }) => spec.sizeMiB ?? 0)),
    isSecureBoot: security[0]?.spec.secureBoot ?? false,
    release: versions[0]?.spec.version ?? "of an unknown release",
    link,
    otherLinks: named.filter((each) => each !== link),
    disks: disks.map(({ spec }) => spec),
  };
};

const sum = (numbers: number[]): number => numbers.reduce((all, each) => all + each, 0);

const requireMaintenance = async (address: string): Promise<void> => {
  // No authority is known here, so a machine of any cluster shows itself as a foreign one.
  switch (await machineState(address, "")) {
    case "blank":
      return;
    case "silent":
      throw new Problem(
        `Nobody answers at ${address}: boot the machine from Talos's ISO, and take the address that its screen shows`,
      );
    default:
      throw new Problem(
        `${address} runs Talos with a configuration already, and tells nobody but its cluster's administrators what it is made of`,
      );
  }
};
