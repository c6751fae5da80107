import { z } from "zod";

import { says } from "../../config/error.ts";
import { vlan } from "../../config/values.ts";

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

const gibibytes = z.int().min(1, says("is no size", "give GiB, at least 1"));

/** The virtual machine of a node. */
export const vmSchema = z.strictObject({
  /** Proxmox host that it runs on. @example "pve1" */
  host: z.string(),
  /** VMID, unique in the Proxmox cluster. @example 2011 */
  vmId: z
    .int()
    .min(100, says("is below 100, which Proxmox keeps for itself", "choose one from 100 to 999999999"))
    .max(999_999_999, says("is above what Proxmox can count to", "choose one from 100 to 999999999")),
  /** Number of processor cores. @example 4 */
  cores: z.int().positive(says("is no number of cores", "give at least 1")),
  /** MiB */
  memory: z.int().min(2048, says("is less than Talos needs", "give at least 2048 MiB")),
  /** GiB */
  disk: z.int().min(10, says("is less than Talos needs", "give at least 10 GiB")),
  /** Further disks, from /dev/sdb on. */
  extraDisks: z
    .array(
      z.strictObject({
        /** GiB */
        size: gibibytes,
        /** Datastore of the disk. @default the machine's */
        datastore: z.string().optional(),
        /** Serial number of the disk, which a selector can match. */
        serial: z.string().max(20, says("is longer than 20 characters", "write a shorter one")).optional(),
      }),
    )
    .default([]),
  /** Datastore for its disks. @default the cluster's */
  diskDatastore: z.string().optional(),
  /** Datastore for its boot image. @default the cluster's */
  imageDatastore: z.string().optional(),
  /** Bridge that it is connected to. @default the cluster's */
  bridge: z.string().optional(),
  /** VLAN that the bridge puts it into. @default the cluster's */
  vlan: vlan.optional(),
  /** Processor type, as QEMU names it. @default "host" */
  cpuType: z.string().optional(),
  /** Whether processors and memory appear as NUMA nodes. @default false */
  numa: z.boolean().optional(),
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
