import { z } from "zod";

import { diskEncryption, sysctls } from "./cluster.ts";
import { says } from "./error.ts";
import { patchSchema } from "./patches.ts";
import { address, device, mac, name, vlan } from "./values.ts";
import { vmSchema } from "./vm.ts";

const size = z.string().regex(/^\d+(\.\d+)?([KMGT]i?B)$/, says("is not a size", "write one such as 100GiB"));

const share = z
  .string()
  .regex(/^(\d+(\.\d+)?([KMGT]i?B)|\d{1,2}%|100%)$/, says("is not a size", "write one such as 100GiB or 80%"));

/** What a disk has to be, all of it. */
const diskSelector = z
  .strictObject({
    size: z
      .string()
      .regex(/^(>=|<=|>|<|==)? ?\d+(\.\d+)? ?([KMGT]i?B)$/, says("is not a size", 'write one such as ">= 100GB"'))
      .optional(),
    type: z.enum(["ssd", "hdd", "nvme", "sd"]).optional(),
    /** May have wildcards. */
    model: z.string().optional(),
    serial: z.string().optional(),
    wwid: z.string().optional(),
    uuid: z.string().optional(),
    busPath: z.string().optional(),
  })
  .refine((selector) => Object.keys(selector).length > 0, says("selects any disk", "name at least a size or a type"));

const provisioning = z.strictObject({
  /** Which disk, as a CEL expression. @example disk.transport == "nvme" && !system_disk */
  disk: z.string().optional(),
  minSize: size.optional(),
  maxSize: share.optional(),
  grow: z.boolean().optional(),
});

const userVolume = provisioning.extend({
  disk: z.string(),
  minSize: size,
  /** @default "xfs" */
  filesystem: z.enum(["xfs", "ext4"]).optional(),
});

/** Several links as one. */
const bond = z.strictObject({
  mode: z.enum([
    ...(["802.3ad", "active-backup", "balance-alb", "balance-rr"] as const),
    ...(["balance-tlb", "balance-xor", "broadcast"] as const),
  ]),
  /** Hardware addresses of its links beside the node's mac. */
  macs: z.array(mac).min(1, says("is empty", "name the hardware address of at least one more link")),
  xmitHashPolicy: z.enum(["layer2", "layer2+3", "layer3+4", "encap2+3", "encap3+4", "vlan+srcmac"]).optional(),
  lacpRate: z.enum(["slow", "fast"]).optional(),
});

const taint = z
  .string()
  .regex(
    /^([\w.-]*:)?(NoSchedule|PreferNoSchedule|NoExecute)$/,
    says("is not a taint", "write value:Effect, such as storage:NoSchedule"),
  );

export const nodeSchema = z
  .strictObject({
    role: z.enum(["controlplane", "worker"]),
    /** Name of an image profile under `images`. */
    image: z.string(),
    /** Its address; with `dhcp`, the one that the network's DHCP server keeps for its mac. */
    address,
    mac,
    /** The network's DHCP server hands out the address. @default false */
    dhcp: z.boolean().default(false),
    /** Tag of the VLAN that the machine itself adds. */
    vlan: vlan.optional(),
    bond: bond.optional(),
    /** Largest packet, in bytes. */
    mtu: z.int().min(1280, says("is less than IPv6 needs", "give 1280 to 9216")).max(9216).optional(),
    /** Path of the disk that Talos is installed to. */
    installDisk: device.optional(),
    /** The disk that Talos is installed to, by what it is. */
    diskSelector: diskSelector.optional(),
    /** @default the cluster's */
    diskEncryption: diskEncryption.optional(),
    /** @default the cluster's */
    secureBoot: z.boolean().optional(),
    /** The volume of /var: images, logs, etcd. @default what the disk has left */
    ephemeral: provisioning.optional(),
    /** Volumes of one's own by name, mounted at /var/mnt/<name>. */
    volumes: z
      .record(
        z.string().regex(/^[A-Za-z0-9-]{1,34}$/, says("is not a name of a volume", "use letters, digits and hyphens")),
        userVolume,
      )
      .default({}),
    labels: z.record(z.string(), z.string()).default({}),
    annotations: z.record(z.string(), z.string()).default({}),
    /** By key. @example { dedicated: "storage:NoSchedule" } */
    taints: z.record(z.string(), taint).default({}),
    /** Kernel parameters, beside the cluster's. */
    sysctls: sysctls.default({}),
    /** Free-form patches of its machine configuration. */
    patches: z.array(patchSchema).default([]),
    /** The virtual machine; a node without it is bare metal. */
    proxmox: vmSchema.optional(),
  })
  .refine(({ installDisk, diskSelector: selector }) => (installDisk === undefined) !== (selector === undefined), {
    path: ["installDisk"],
    error: says("and diskSelector: one of them says where Talos is installed", "write either, such as /dev/sda"),
  });

/** Nodes by name. */
export const nodesSchema = z.record(name, nodeSchema);

export type NodeConfig = z.output<typeof nodeSchema>;
