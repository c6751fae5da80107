import { z } from "zod";

import { diskEncryption, sysctls } from "./cluster.ts";
import { says } from "./error.ts";
import { patchSchema } from "./patches.ts";
import { address, device, mac, vlan } from "./values.ts";

const size = z.string().regex(/^\d+(\.\d+)?([KMGT]i?B)$/, says("is not a size", "write one such as 100GiB"));

const share = z
  .string()
  .regex(/^(\d+(\.\d+)?([KMGT]i?B)|\d{1,2}%|100%)$/, says("is not a size", "write one such as 100GiB or 80%"));

/** What a disk has to be, all of it. */
const diskSelector = z
  .strictObject({
    /** Its size, compared. @example ">= 100GB" */
    size: z
      .string()
      .regex(/^(>=|<=|>|<|==)? ?\d+(\.\d+)? ?([KMGT]i?B)$/, says("is not a size", 'write one such as ">= 100GB"'))
      .optional(),
    /** Kind of disk. */
    type: z.enum(["ssd", "hdd", "nvme", "sd"]).optional(),
    /** May have wildcards. */
    model: z.string().optional(),
    /** Serial number; may have wildcards. */
    serial: z.string().optional(),
    /** World Wide Identifier; may have wildcards. */
    wwid: z.string().optional(),
    /** UUID; may have wildcards. */
    uuid: z.string().optional(),
    /** Path on the bus; may have wildcards. @example "/pci0000:00/0000:00:1f.2/*" */
    busPath: z.string().optional(),
  })
  .refine((selector) => Object.keys(selector).length > 0, says("selects any disk", "name at least a size or a type"));

const provisioning = z.strictObject({
  /** Which disk, as a CEL expression. @example disk.transport == "nvme" && !system_disk */
  disk: z.string().optional(),
  /** Smallest size. @example "50GiB" */
  minSize: size.optional(),
  /** Largest size, also as a share of the disk. @example "80%" */
  maxSize: share.optional(),
  /** Take what is free of the disk, up to its largest size. */
  grow: z.boolean().optional(),
});

const userVolume = provisioning.extend({
  /** Which disk, as a CEL expression. @example "disk.transport == 'nvme' && !system_disk" */
  disk: z.string(),
  /** Smallest size. @example "50GiB" */
  minSize: size,
  /** What it is formatted with. @default "xfs" */
  filesystem: z.enum(["xfs", "ext4"]).optional(),
});

/** Several links as one. */
const bond = z.strictObject({
  /** How the links share the traffic. */
  mode: z.enum([
    ...(["802.3ad", "active-backup", "balance-alb", "balance-rr"] as const),
    ...(["balance-tlb", "balance-xor", "broadcast"] as const),
  ]),
  /** Hardware addresses of its links beside the node's mac. */
  macs: z.array(mac).min(1, says("is empty", "name the hardware address of at least one more link")),
  /** What decides which link a packet takes. */
  xmitHashPolicy: z.enum(["layer2", "layer2+3", "layer3+4", "encap2+3", "encap3+4", "vlan+srcmac"]).optional(),
  /** How often LACP asks its partner. */
  lacpRate: z.enum(["slow", "fast"]).optional(),
});

const taint = z
  .string()
  .regex(
    /^([\w.-]*:)?(NoSchedule|PreferNoSchedule|NoExecute)$/,
    says("is not a taint", "write value:Effect, such as storage:NoSchedule"),
  );

/** What a node says whatever its platform. */
export const commonKeys = {
  /** Whether it runs the control plane. */
  role: z.enum(["controlplane", "worker"]),
  /** Name of an image profile under `images`. */
  image: z.string(),
  /** Its address; with `dhcp`, the one that the network's DHCP server keeps for its mac. */
  address,
  /** Hardware address of its link, by which the machine is known before it has a name. @example "BC:24:11:20:00:11" */
  mac,
  /** The network's DHCP server hands out the address. @default false */
  dhcp: z.boolean().default(false),
  /** Tag of the VLAN that the machine itself adds. */
  vlan: vlan.optional(),
  /** Several links as one. */
  bond: bond.optional(),
  /** Largest packet, in bytes. */
  mtu: z.int().min(1280, says("is less than IPv6 needs", "give 1280 to 9216")).max(9216).optional(),
  /** Path of the disk that Talos is installed to. */
  installDisk: device.optional(),
  /** The disk that Talos is installed to, by what it is. */
  diskSelector: diskSelector.optional(),
  /** What opens its disks. @default the cluster's */
  diskEncryption: diskEncryption.optional(),
  /** Whether it boots only what is signed. @default the cluster's */
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
  /** Labels of the Kubernetes node. @example {"hearth.dev/storage":"true"} */
  labels: z.record(z.string(), z.string()).default({}),
  /** Annotations of the Kubernetes node. */
  annotations: z.record(z.string(), z.string()).default({}),
  /** By key. @example { dedicated: "storage:NoSchedule" } */
  taints: z.record(z.string(), taint).default({}),
  /** Kernel parameters, beside the cluster's. */
  sysctls: sysctls.default({}),
  /** Free-form patches of its machine configuration. */
  patches: z.array(patchSchema).default([]),
};

/** A node as everybody sees it who does not care where it runs. */
export type CommonNode = z.output<z.ZodObject<typeof commonKeys>>;

/** A platform's schema of a node, where Talos finds its disk in one way. */
export const withInstallDisk = <Schema extends z.ZodObject<typeof commonKeys>>(schema: Schema): Schema =>
  schema
    .refine(({ installDisk, diskSelector: selector }) => installDisk !== undefined || selector !== undefined, {
      path: ["installDisk"],
      error: says("is missing, and so is diskSelector", "add either, such as installDisk: /dev/sda"),
    })
    .refine(({ installDisk, diskSelector: selector }) => installDisk === undefined || selector === undefined, {
      path: ["installDisk"],
      error: says("stands beside diskSelector, and only one of them can be", "remove either"),
    });
