import { z } from "zod";

import { diskEncryption, sysctls } from "./cluster.ts";
import { says } from "./error.ts";
import { patchSchema } from "./patches.ts";
import { address, address6, addressInNetwork, anyAddress, anyCidr, device, mac, name, vlan } from "./values.ts";

const size = z.string().regex(/^\d+(\.\d+)?([KMGT]i?B)$/, says("is not a size", "write one such as 100GiB"));

const share = z
  .string()
  .regex(/^(\d+(\.\d+)?([KMGT]i?B)|\d{1,2}%|100%)$/, says("is not a size", "write one such as 100GiB or 80%"));

/** The properties of a disk. It has to match all of them. */
const diskSelector = z
  .strictObject({
    /** Size to compare with. @example ">= 100GB" */
    size: z
      .string()
      .regex(/^(>=|<=|>|<|==)? ?\d+(\.\d+)? ?([KMGT]i?B)$/, says("is not a size", 'write one such as ">= 100GB"'))
      .optional(),
    /** Kind of disk. */
    type: z.enum(["ssd", "hdd", "nvme", "sd"]).optional(),
    /** Model. May contain wildcards. */
    model: z.string().optional(),
    /** Serial number. May contain wildcards. */
    serial: z.string().optional(),
    /** World Wide Identifier. May contain wildcards. */
    wwid: z.string().optional(),
    /** UUID. May contain wildcards. */
    uuid: z.string().optional(),
    /** Path on the bus. May contain wildcards. @example "/pci0000:00/0000:00:1f.2/*" */
    busPath: z.string().optional(),
  })
  .refine((selector) => Object.keys(selector).length > 0, says("selects any disk", "name at least a size or a type"));

const provisioning = z.strictObject({
  /** Selects the disk, as a CEL expression. @example disk.transport == "nvme" && !system_disk */
  disk: z.string().optional(),
  /** Minimum size. @example "50GiB" */
  minSize: size.optional(),
  /** Maximum size, or share of the disk. @example "80%" */
  maxSize: share.optional(),
  /** Grow the volume if the disk has free space, up to its maximum size. */
  grow: z.boolean().optional(),
});

const userVolume = provisioning.extend({
  /** Selects the disk, as a CEL expression. @example "disk.transport == 'nvme' && !system_disk" */
  disk: z.string(),
  /** Minimum size. @example "50GiB" */
  minSize: size,
  /** Filesystem of the volume. @default "xfs" */
  filesystem: z.enum(["xfs", "ext4"]).optional(),
});

/** A bond: several links that act as one. */
const bond = z.strictObject({
  /** How the links share the traffic. */
  mode: z.enum(["802.3ad", "active-backup", "balance-alb", "balance-rr", "balance-tlb", "balance-xor", "broadcast"]),
  /**
   * Hardware addresses of the bond's links, except the first. A bond of one link gives it a name that is the same on every machine:
   * bond0 for the node's own.
   */
  macs: z.array(mac).default([]),
  /** How a packet's link is chosen. */
  xmitHashPolicy: z.enum(["layer2", "layer2+3", "layer3+4", "encap2+3", "encap3+4", "vlan+srcmac"]).optional(),
  /** How often LACP packets are requested from the partner. */
  lacpRate: z.enum(["slow", "fast"]).optional(),
});

const mtu = z.int().min(1280, says("is less than IPv6 needs", "give 1280 to 9216")).max(9216);

const route = z.strictObject({
  /** Range of the addresses that are reached by it. @example "10.60.0.0/16" */
  to: anyCidr.refine((value) => !value.endsWith("/0"), says("is every address", "write network.gateway for that")),
  /** Address of the router, in a network of the link. @example "10.50.0.1" */
  via: anyAddress,
  /** Of two routes to the same addresses the one with the lower metric is used. @default 1024 */
  metric: z.int().min(1, says("is not a metric", "give at least 1")).max(4_294_967_295).optional(),
});

/** A connection to a further network. */
const link = z.strictObject({
  /** Hardware address of the link. @default none: the link is a VLAN on the node's first link or bond */
  mac: mac.optional(),
  /** Address in the network. Required unless `dhcp` is true. @example "10.50.0.11" */
  address: address.optional(),
  /** IPv6 address in the network, if that has an IPv6 subnet. @example "fd00:10:50::11" */
  address6: address6.optional(),
  /** Whether the network's DHCP server assigns the address. @default false */
  dhcp: z.boolean().default(false),
  /** Tag of the VLAN that the machine itself adds. @default the network's */
  vlan: vlan.optional(),
  /** A bond: several links that act as one. */
  bond: bond.optional(),
  /** MTU in bytes. @default the network's */
  mtu: mtu.optional(),
  /** Routes by this link. */
  routes: z.array(route).default([]),
});

const taint = z
  .string()
  .regex(
    /^([\w.-]*:)?(NoSchedule|PreferNoSchedule|NoExecute)$/,
    says("is not a taint", "write value:Effect, such as storage:NoSchedule"),
  );

/** The keys of a node on any platform. */
export const commonKeys = {
  /**
   * Name of the node before it was renamed, so that the state knows its machine. You can remove it after the next deployment.
   *
   * @example "den-prod-cp01"
   */
  renamedFrom: z.string().optional(),
  /** Whether the node is a control plane or a worker. */
  role: z.enum(["controlplane", "worker"]),
  /** Name of its image profile under `images`. */
  image: z.string(),
  /** Address of the node. With `dhcp`, the one that the network's DHCP server reserves for its mac. */
  address,
  /** Hardware address of the first link, which identifies the machine before it has a name. @example "BC:24:11:20:00:11" */
  mac,
  /** Whether the network's DHCP server assigns the address. @default false */
  dhcp: z.boolean().default(false),
  /** Tag of the VLAN that the machine itself adds. */
  vlan: vlan.optional(),
  /** A bond: several links that act as one. */
  bond: bond.optional(),
  /** MTU in bytes. */
  mtu: mtu.optional(),
  /** IPv6 address of the node, in `network.ipv6.subnet`. A cluster with IPv6 needs it at every node. @example "fd00:10:20::11" */
  address6: address6.optional(),
  /** Addresses of the first link, in addition to the node's own, each with its prefix length. @example ["192.168.7.11/24"] */
  addresses: z.array(addressInNetwork).default([]),
  /** Routes by the first link, in addition to the gateway's. */
  routes: z.array(route).default([]),
  /**
   * Connections to further networks, by the name that the network has under `network.networks`.
   *
   * @example { storage: { mac: BC:24:11:50:00:11, address: 10.50.0.11 } }
   */
  links: z.record(name, link).default({}),
  /** Path of the disk that Talos is installed to. A virtual machine has no other than /dev/sda. @default /dev/sda for virtual machines */
  installDisk: device.optional(),
  /** Selects the disk that Talos is installed to, by its properties. Only for bare metal. */
  diskSelector: diskSelector.optional(),
  /** Where the key of the node's disks comes from. @default the cluster's */
  diskEncryption: diskEncryption.optional(),
  /** Whether the machine boots signed images only. @default the cluster's */
  secureBoot: z.boolean().optional(),
  /** The volume of /var, which holds images, logs and etcd. @default the rest of the disk */
  ephemeral: provisioning.optional(),
  /** User volumes by name, mounted at /var/mnt/<name>. */
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
  /**
   * Taints by key. A worker gets them when it registers; on one that runs already, `npx hearth deploy` sets them, but those with the effect NoExecute.
   *
   * @example { dedicated: "storage:NoSchedule" }
   */
  taints: z.record(z.string(), taint).default({}),
  /** Kernel parameters, in addition to the cluster's. */
  sysctls: sysctls.default({}),
  /** Free-form patches of the machine configuration. */
  patches: z.array(patchSchema).default([]),
};

/** A node's connection to a further network. */
export type LinkConfig = z.output<typeof link>;

/** A node, without the keys of its platform. */
export type CommonNode = z.output<z.ZodObject<typeof commonKeys>>;

/** Adds to a platform's schema that a node selects its install disk in exactly one way. */
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
