import { z } from "zod";

import { says } from "../../config/error.ts";

/** Source: bpg/terraform-provider-proxmox v0.111.1, proxmoxtf/resource/vm/validators.go, CPUTypeValidator, the types of 64 bits. */
const cpuTypes = [
  ...["host", "max", "x86-64-v2", "x86-64-v2-AES", "x86-64-v3", "x86-64-v4", "kvm64", "qemu64"],
  ...["EPYC", "EPYC-IBPB", "EPYC-v3", "EPYC-v4", "EPYC-Rome", "EPYC-Rome-v2", "EPYC-Rome-v3", "EPYC-Rome-v4"],
  ...["EPYC-Milan", "EPYC-Genoa", "Opteron_G1", "Opteron_G2", "Opteron_G3", "Opteron_G4", "Opteron_G5", "phenom"],
  ...["Conroe", "core2duo", "Penryn", "Nehalem", "Nehalem-IBRS", "Westmere", "Westmere-IBRS", "KnightsMill"],
  ...["SandyBridge", "SandyBridge-IBRS", "IvyBridge", "IvyBridge-IBRS"],
  ...["Haswell", "Haswell-IBRS", "Haswell-noTSX", "Haswell-noTSX-IBRS"],
  ...["Broadwell", "Broadwell-IBRS", "Broadwell-noTSX", "Broadwell-noTSX-IBRS"],
  ...["Skylake-Client", "Skylake-Client-IBRS", "Skylake-Client-noTSX-IBRS", "Skylake-Client-v4"],
  ...["Skylake-Server", "Skylake-Server-IBRS", "Skylake-Server-noTSX-IBRS", "Skylake-Server-v4", "Skylake-Server-v5"],
  ...["Cascadelake-Server", "Cascadelake-Server-noTSX", "Cascadelake-Server-v2", "Cascadelake-Server-v4"],
  ...["Cascadelake-Server-v5", "Cooperlake", "Cooperlake-v2", "Icelake-Client", "Icelake-Client-noTSX"],
  ...["Icelake-Server", "Icelake-Server-noTSX", "Icelake-Server-v3", "Icelake-Server-v4", "Icelake-Server-v5"],
  ...["Icelake-Server-v6", "SapphireRapids"],
];

export const cpuType = z
  .string()
  .refine(
    (type) => cpuTypes.includes(type) || /^custom-./.test(type),
    says("is not a processor type of Proxmox", "write one such as host, x86-64-v3 or custom-<name>"),
  );

/** The flags that a virtual machine may change. Source: qemu-server 9.2.6, src/PVE/QemuServer/CPUFlags.pm. */
const cpuFlags = [
  ...["nested-virt", "md-clear", "pcid", "spec-ctrl", "ssbd", "ibpb", "virt-ssbd", "amd-ssbd", "amd-no-ssb"],
  ...["pdpe1gb", "hv-tlbflush", "hv-evmcs", "aes"],
];

export const cpuFlag = z
  .string()
  .refine(
    (flag) => /^[+-]/.test(flag) && cpuFlags.includes(flag.slice(1)),
    says("is not a flag that a machine may change", `write + or - and one of ${cpuFlags.join(", ")}`),
  );

/** Processors of a host, such as `0-3,8`. */
export const cpuSet = z
  .string(says("is not a set of processors", 'write one such as "0-3,8-11"'))
  .regex(/^\d+(-\d+)?(,\d+(-\d+)?)*$/, says("is not a set of processors", 'write one such as "0-3,8-11"'));

/** Returns the processors that a set names. */
export const processorsOf = (set: string): number[] => [
  ...new Set(
    set.split(",").flatMap((part) => {
      const [first = 0, last = first] = part.split("-").map(Number);
      return Array.from({ length: Math.max(0, last - first + 1) }, (_, index) => first + index);
    }),
  ),
];

/** How the host serves a disk. Source: qemu-server 9.2.6, src/PVE/QemuServer/Drive.pm. */
const diskOptionKeys = {
  /** Present it as a disk that does not rotate, for the guest's own decisions. @default false */
  ssd: z.boolean().optional(),
  /** Serve it by a thread of its own. Each disk of the machine then has a controller of its own. @default false */
  iothread: z.boolean().optional(),
  /** How the host caches it. `unsafe` loses data when the host fails. @default "none" */
  cache: z.enum(["none", "writethrough", "writeback", "unsafe", "directsync"]).optional(),
  /** How the host reads and writes it. `native` needs the cache none or directsync. @default "io_uring" */
  aio: z.enum(["io_uring", "native", "threads"]).optional(),
  /** Tell the datastore which blocks are free. @default true */
  discard: z.boolean().optional(),
  /** Include it in Proxmox's backups. @default true */
  backup: z.boolean().optional(),
  /** Include it in Proxmox's replication. @default true */
  replicate: z.boolean().optional(),
};

export const diskOptions = z.strictObject(diskOptionKeys);

export const extraDisk = z.strictObject({
  /** GiB */
  size: z.int().min(1, says("is no size", "give GiB, at least 1")),
  /** Datastore of the disk. @default the machine's */
  datastore: z.string().optional(),
  /** Serial number of the disk, which a selector can match. */
  serial: z.string().max(20, says("is longer than 20 characters", "write a shorter one")).optional(),
  ...diskOptionKeys,
});
