import { z } from "zod";

import { says } from "../../config/error.ts";
import { vlan } from "../../config/values.ts";
import { cpuFlag, cpuSet, cpuType, diskOptions, extraDisk } from "./tuning.ts";

/**
 * Proxmox keeps tags in lower case and splits them at spaces, commas and semicolons, so that others would differ in every preview.
 *
 * Source: pve-common 9.2, src/PVE/JSONSchema.pm, the format pve-tag.
 */
export const tag = z
  .string()
  .regex(
    /^[a-z0-9_][a-z0-9_.+-]*$/,
    says("is not a tag as Proxmox keeps it", "use lower-case letters, digits and _ . + - only, such as k8s-prod"),
  );

/** The virtual machine of a node. */
export const vmSchema = z.strictObject({
  /** Proxmox host that it runs on. @example "pve1" */
  host: z.string(),
  /** VMID, unique in the Proxmox cluster. @example 2011 */
  vmId: z
    .int()
    .min(100, says("is below 100, which Proxmox keeps for itself", "choose one from 100 to 999999999"))
    .max(999_999_999, says("is above what Proxmox can count to", "choose one from 100 to 999999999")),
  /** Number of processor cores in each socket. @example 4 */
  cores: z.int().positive(says("is no number of cores", "give at least 1")),
  /** Number of sockets. With `numa` each is a NUMA node, with its share of the memory. @default 1 */
  sockets: z
    .int()
    .min(1, says("is no number of sockets", "give 1 to 4"))
    .max(4, says("is too many", "give 1 to 4"))
    .optional(),
  /** MiB. The machine has all of it: there is no ballooning. */
  memory: z.int().min(2048, says("is less than Talos needs", "give at least 2048 MiB")),
  /** GiB */
  disk: z.int().min(10, says("is less than Talos needs", "give at least 10 GiB")),
  /** Further disks, from /dev/sdb on. */
  extraDisks: z.array(extraDisk).max(30, says("are more than a machine's 31 disks", "list at most 30")).default([]),
  /** How the host serves its disks. A further disk may have options of its own. */
  diskOptions: diskOptions.default({}),
  /** Datastore for its disks. @default the cluster's */
  diskDatastore: z.string().optional(),
  /** Datastore for its boot image. @default the cluster's */
  imageDatastore: z.string().optional(),
  /** Bridge that it is connected to. @default the cluster's */
  bridge: z.string().optional(),
  /** VLAN that the bridge puts it into. @default the cluster's */
  vlan: vlan.optional(),
  /** Processor type, as QEMU names it. @default "host" */
  cpuType: cpuType.optional(),
  /** Flags of the processor, each with + or -. @example ["+aes", "+pdpe1gb"] */
  cpuFlags: z.array(cpuFlag).default([]),
  /** Processors of the host that it runs on. It needs the secret hearth:proxmoxPassword. @default any @example "0-3,8-11" */
  affinity: cpuSet.optional(),
  /** Whether processors and memory appear as NUMA nodes. @default false, and true with hugepages */
  numa: z.boolean().optional(),
  /** Pages of the host that its memory consists of. It needs the secret hearth:proxmoxPassword. @default the host's normal ones */
  hugepages: z.enum(["2MiB", "1GiB", "any"]).optional(),
  /** What its console is shown on. With `none` a graphics card may be the only one. @default "std" */
  display: z.enum(["std", "serial", "virtio", "qxl", "none"]).optional(),
  /** Whether the machine has a TPM 2.0. @default true if the disk's key is in it */
  tpm: z.boolean().optional(),
  /** Whether it starts with its host. @default true */
  onBoot: z.boolean().optional(),
  /** How it starts with its host. */
  startup: z
    .strictObject({
      /** Machines with a lower number start first. @default 1 for control planes, 2 for workers */
      order: z.int().nonnegative().optional(),
      /** Seconds until the next machine starts. @default 5 */
      upDelay: z.int().nonnegative().optional(),
      /** Seconds that the machine may take to shut down. @default 60 */
      downDelay: z.int().nonnegative().optional(),
    })
    .optional(),
  /** Restart it when a change needs that. @default false for control planes, true for workers */
  rebootAfterUpdate: z.boolean().optional(),
  /** Resource pool that it belongs to. */
  pool: z.string().optional(),
  /** Tags in addition to those of all machines. */
  tags: z.array(tag).default([]),
  /** Names of the PCI resource mappings that the machine gets. */
  pciMappings: z.array(z.string()).default([]),
});
