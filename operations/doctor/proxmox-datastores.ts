import type { HearthConfig } from "../../infra/config/index.ts";
import { fine, listed, notAsked, problem, warning, type Finding, type Known } from "./finding.ts";

/** A datastore as a host sees it. Source: libpve-storage-perl 9.1.7, PVE/API2/Storage/Status.pm. */
export interface Datastore {
  storage: string;
  type: string;
  /** Content types, with commas between them. */
  content: string;
  active?: number;
  enabled?: number;
  shared?: number;
  /** Bytes. */
  avail?: number;
}

/** What the stack asks of a datastore on a host. */
export interface Demand {
  host: string;
  name: string;
  /** Whether it takes boot images, and machines' disks. */
  images: boolean;
  disks: boolean;
  /** Bytes of disks that are not there yet. */
  bytes: number;
}

/** Types that can have the content type `import`. Source: libpve-storage-perl 9.1.7, the plugins' plugindata. */
const importing = ["dir", "btrfs", "nfs", "cifs", "cephfs"];

/** Types that take the whole size of a disk when it is made. Source: libpve-storage-perl 9.1.7, PVE/Storage/LVMPlugin.pm, alloc_image. */
const thick = ["lvm"];

const gibibyte = 1024 ** 3;

/** Bytes that an uncompressed boot image takes. Source: siderolabs/talos v1.13.9, pkg/imager/profile, MinRAWDiskSize. */
const imageBytes = 1246 * 1024 ** 2;

/**
 * What a stack asks of each datastore.
 *
 * @param existing numbers of the machines that have their disks already
 */
export const demandsOf = ({ nodes, proxmox }: HearthConfig, existing: readonly number[]): Demand[] => {
  const demands = new Map<string, Demand>();
  const add = (host: string, name: string, more: Partial<Demand>): void => {
    const key = `${host}/${name}`;
    const before = demands.get(key) ?? { host, name, images: false, disks: false, bytes: 0 };
    demands.set(key, { ...before, ...more, bytes: before.bytes + (more.bytes ?? 0) });
  };
  for (const node of Object.values(nodes)) {
    if (node.platform !== "proxmox" || !proxmox) continue;
    const vm = node.proxmox;
    const isThere = existing.includes(vm.vmId);
    const own = vm.diskDatastore ?? proxmox.diskDatastore;
    const size = (gib: number): number => (isThere ? 0 : gib * gibibyte);
    add(vm.host, vm.imageDatastore ?? proxmox.imageDatastore, { images: true });
    add(vm.host, own, { disks: true, bytes: size(vm.disk) });
    for (const disk of vm.extraDisks) add(vm.host, disk.datastore ?? own, { disks: true, bytes: size(disk.size) });
  }
  return [...demands.values()];
};

/**
 * @param datastores by host
 * @param demands what the stack asks of each
 */
export const datastoreFindings = (
  demands: readonly Demand[],
  datastores: Record<string, Known<readonly Datastore[]>>,
): Finding[] => demands.flatMap((demand) => findingsOf(demand, datastores[demand.host], demands));

const findingsOf = (
  demand: Demand,
  read: Known<readonly Datastore[]> | undefined,
  demands: readonly Demand[],
): Finding[] => {
  const { host, name } = demand;
  const check = `Proxmox datastore ${name} on ${host}`;
  if (read === undefined) return [notAsked(check, `${host} was not asked`)];
  if ("why" in read) return [notAsked(check, read.why)];
  const found = read.value.find(({ storage }) => storage === name);
  if (!found) {
    const others = listed(read.value.map(({ storage }) => storage)) || "none";
    return [
      problem(
        check,
        `is not there, or the token may not see it; there are ${others}`,
        "correct the datastore in the stack file, or give the token Datastore.Audit on it",
      ),
    ];
  }
  if (found.enabled === 0) {
    return [problem(check, "is disabled", `enable it: pvesm set ${name} --disable 0`)];
  }
  if (found.active === 0) {
    return [problem(check, "is not active: the host does not reach it", `look at it on ${host}: pvesm status`)];
  }
  const bad = [...contentProblems(check, demand, found), ...roomProblems(check, demand, found, demands)];
  const room = found.avail === undefined ? "" : `, ${gib(found.avail)} free`;
  return bad.length > 0 ? bad : [fine(check, `${found.type} with ${found.content}${room}`)];
};

const contentProblems = (check: string, { name, images, disks }: Demand, { type, content }: Datastore): Finding[] => {
  const has = content.split(",").map((each) => each.trim());
  const missing = [...(images ? ["import"] : []), ...(disks ? ["images"] : [])].filter((each) => !has.includes(each));
  if (missing.length === 0) return [];
  const found = `has no content type ${missing.join(" and ")}, but ${content}`;
  if (missing.includes("import") && !importing.includes(type)) {
    return [
      problem(
        check,
        `${found}; a datastore of type ${type} cannot hold files`,
        "name a datastore of files as hearth:proxmox.imageDatastore, such as local",
      ),
    ];
  }
  return [
    problem(
      check,
      found,
      `turn it on at a Proxmox host: pvesm set ${name} --content ${[...has, ...missing].join(",")}`,
    ),
  ];
};

const roomProblems = (
  check: string,
  { name, images, bytes }: Demand,
  { type, avail, shared }: Datastore,
  demands: readonly Demand[],
): Finding[] => {
  if (avail === undefined) return [];
  // All hosts take from a datastore that they share.
  const asked =
    shared === 1 ? demands.filter((other) => other.name === name).reduce((sum, other) => sum + other.bytes, 0) : bytes;
  const advice = "make room, make the disks smaller, or name another datastore";
  if (asked > avail) {
    const found = `has ${gib(avail)} free, and the stack's new disks are ${gib(asked)}`;
    return thick.includes(type)
      ? [problem(check, found, advice)]
      : [warning(check, `${found}: it holds them only until they fill up`, advice)];
  }
  if (images && avail < imageBytes + asked) {
    return [problem(check, `has ${gib(avail)} free, and a boot image takes ${gib(imageBytes)}`, advice)];
  }
  return [];
};

const gib = (size: number): string => `${(Math.round((size / gibibyte) * 10) / 10).toString()} GiB`;
