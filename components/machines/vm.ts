import type * as proxmox from "@pulumi/proxmoxve";
import type * as pulumi from "@pulumi/pulumi";

import { withoutUndefined } from "../talos/documents/index.ts";
import type { MachineFacts } from "./machine.ts";
import { vmDisks, type DiskOptions, type ExtraDisk } from "./vm-disks.ts";

export type { DiskOptions, ExtraDisk } from "./vm-disks.ts";

/** A virtual machine and its own settings. */
export interface ProxmoxMachine {
  facts: MachineFacts;
  /** Proxmox host that it runs on. */
  host: string;
  vmId: number;
  /** Processor cores in each socket. */
  cores: number;
  /** @default 1 */
  sockets?: number | undefined;
  /** MiB */
  memory: number;
  /** GiB of the disk that Talos is installed to. */
  disk: number;
  /** Further disks, from `/dev/sdb` on. Disks may grow, and may be added at the end. Removing one destroys its data. */
  extraDisks?: ExtraDisk[] | undefined;
  /** How the host serves its disks. */
  diskOptions?: DiskOptions | undefined;
  /** @default the cluster's */
  diskDatastore?: string | undefined;
  /** @default the cluster's */
  imageDatastore?: string | undefined;
  /** @default the cluster's */
  bridge?: string | undefined;
  /** VLAN that the bridge puts it into. @default the cluster's */
  vlan?: number | undefined;
  /** @default "host" */
  cpuType?: string | undefined;
  /** Flags of the processor, each with + or -. */
  cpuFlags?: string[] | undefined;
  /** Processors of the host that it runs on, such as `0-3`. Only root@pam itself may set it. */
  affinity?: string | undefined;
  /** Whether processors and memory appear as NUMA nodes, which hotplug and huge pages need. @default true with huge pages */
  numa?: boolean | undefined;
  /** Pages of the host that its memory consists of. Only root@pam itself may set it. */
  hugepages?: keyof typeof pageSizes | undefined;
  /** What its console is shown on. @default "std" */
  display?: "std" | "serial" | "virtio" | "qxl" | "none" | undefined;
  /** Whether the machine has a TPM. @default true if the disk's key is in it */
  tpm?: boolean | undefined;
  /** Starts the machine with its host. @default true */
  onBoot?: boolean | undefined;
  startup?: Partial<Startup> | undefined;
  /**
   * Restarts the machine when a change needs that. All machines that change stop at the same time.
   * @default false for control planes, so that etcd keeps its quorum, and true for workers
   */
  rebootAfterUpdate?: boolean | undefined;
  pool?: string | undefined;
  /** Tags in addition to the cluster's. */
  tags?: string[] | undefined;
  /** Names of the PCI resource mappings that the machine gets. */
  pciMappings?: string[] | undefined;
}

/** How a machine starts with its host. */
export interface Startup {
  /** Machines with a lower number start first. @default 1 for control planes, 2 for workers */
  order: number;
  /** Seconds until the next machine starts. @default 5 */
  upDelay: number;
  /** Seconds that the machine may take to shut down. @default 60 */
  downDelay: number;
}

/** The settings that all virtual machines of a cluster share. */
export interface ProxmoxDefaults {
  /** Datastore of boot images. It needs the content type `import`. */
  imageDatastore: string;
  diskDatastore: string;
  bridge: string;
  /** VLAN that the bridge puts machines into. */
  vlan?: number | undefined;
  /** How links to further networks are connected, by the network's name. @default the machine's bridge */
  networks?: Record<string, Connection>;
  gateway: string;
  /** The IPv6 side of the subnet. @default none */
  ipv6?: { subnet: string; gateway?: string | undefined } | undefined;
  nameservers: string[];
  /** Prefix length of the subnet. */
  prefixLength: number;
  tags: string[];
  /** Whether machines have a hardware timer that resets them when they hang. @default false */
  watchdog?: boolean | undefined;
}

/** How a link is connected to a network. */
export interface Connection {
  /** @default the machine's */
  bridge?: string | undefined;
  /** VLAN that the bridge puts the link into. */
  vlan?: number | undefined;
}

/** Returns the inputs of a virtual machine that can run Talos. */
export const vmArgs = (
  name: string,
  machine: ProxmoxMachine,
  defaults: ProxmoxDefaults,
  image: pulumi.Input<string> | undefined,
): proxmox.VmLegacyArgs => {
  const { facts } = machine;
  const datastore = machine.diskDatastore ?? defaults.diskDatastore;
  const isControlPlane = facts.role === "controlplane";
  return {
    name,
    nodeName: machine.host,
    // Without it another host means another machine, and new disks. Source: bpg/terraform-provider-proxmox v0.111.1, vm.go, ForceNewIf.
    migrate: true,
    vmId: machine.vmId,
    tags: [...new Set([...defaults.tags, ...(machine.tags ?? [])])].sort(),
    ...withoutUndefined({ poolId: machine.pool }),
    machine: isArm(facts) ? "virt" : "q35",
    bios: "ovmf",
    operatingSystem: { type: "l26" },
    ...processorAndMemory(machine),
    ...console(machine),
    // Talos enrols its own keys. With pre-enrolled keys the firmware would not boot it.
    efiDisk: { datastoreId: datastore, type: "4m", preEnrolledKeys: false },
    ...((machine.tpm ?? facts.encryption === "tpm") && { tpmState: { datastoreId: datastore, version: "v2.0" } }),
    ...vmDisks(machine, datastore, image),
    // Otherwise the provider attaches the drive of the host, with which Proxmox refuses to migrate: "can't migrate local cdrom drive".
    // Source: qemu-server 9.2.6, PVE/QemuMigrate.pm; bpg/terraform-provider-proxmox v0.111.1, vm.go, dvCDROMFileID.
    cdrom: { fileId: "none", interface: isArm(facts) ? "scsi13" : "ide3" },
    networkDevices: networkDevices(machine, defaults),
    initialization: initialization(facts, datastore, defaults),
    ...(machine.pciMappings?.length && {
      hostpcis: machine.pciMappings.map((mapping, index) => ({ device: `hostpci${index}`, mapping, pcie: true })),
    }),
    // The address is known. To wait for the agent's would take 15 minutes with an image that has no agent.
    agent: { enabled: true, waitForIp: { disabled: true } },
    ...(defaults.watchdog && { watchdog: { enabled: true, model: "i6300esb", action: "reset" } }),
    startup: { order: isControlPlane ? 1 : 2, upDelay: 5, downDelay: 60, ...withoutUndefined({ ...machine.startup }) },
    onBoot: machine.onBoot ?? true,
    rebootAfterUpdate: machine.rebootAfterUpdate ?? !isControlPlane,
    stopOnDestroy: true,
  };
};

/** The machine's own link, then those with a hardware address for further networks. The others are VLANs on its own. */
const networkDevices = (machine: ProxmoxMachine, defaults: ProxmoxDefaults) => {
  const { link } = machine.facts;
  const bridge = machine.bridge ?? defaults.bridge;
  const own = { mac: link.mac, mtu: link.mtu, bridge, vlan: machine.vlan ?? defaults.vlan };
  const further = Object.entries(link.further ?? {}).flatMap(([network, { mac, mtu }]) =>
    mac === undefined ? [] : [{ mac, mtu, bridge, ...withoutUndefined({ ...defaults.networks?.[network] }) }],
  );
  return [own, ...further].map((device: Connection & { mac: string; mtu?: number | undefined }) => ({
    bridge: device.bridge ?? bridge,
    model: "virtio",
    macAddress: device.mac,
    ...withoutUndefined({ vlanId: device.vlan, mtu: device.mtu }),
  }));
};

/** The names that Proxmox has for sizes of huge pages. */
const pageSizes = { "2MiB": "2", "1GiB": "1024", any: "any" } as const;

const processorAndMemory = ({
  cores,
  sockets,
  memory,
  cpuType,
  cpuFlags,
  affinity,
  numa,
  hugepages,
}: ProxmoxMachine) => ({
  cpu: {
    cores,
    type: cpuType ?? "host",
    ...(cpuFlags?.length && { flags: cpuFlags }),
    // Proxmox starts no machine with huge pages and without NUMA. Source: qemu-server 9.2.6, src/PVE/QemuServer/Memory.pm.
    ...withoutUndefined({ sockets, affinity, numa: numa ?? (hugepages === undefined ? undefined : true) }),
  },
  // Kubernetes relies on the memory that it sees, so there is no ballooning.
  memory: { dedicated: memory, floating: 0, ...(hugepages && { hugepages: pageSizes[hugepages] }) },
});

/** A console on a serial port needs the port. */
const console = ({ display }: ProxmoxMachine) => ({
  ...(display && { vga: { type: display === "serial" ? "serial0" : display } }),
  ...(display === "serial" && { serialDevices: [{ device: "socket" }] }),
});

/** Such a machine has no IDE. Source: qemu-server 9.2.6, src/PVE/QemuServer/PCI.pm, and Machine.pm for its type. */
const isArm = ({ architecture }: MachineFacts): boolean => architecture === "arm64";

/** The cloud-init data that gives the machine its address before it has a configuration. */
const initialization = (
  { address, address6, link, architecture }: MachineFacts,
  datastoreId: string,
  { prefixLength, gateway, ipv6, nameservers }: ProxmoxDefaults,
) => ({
  datastoreId,
  ...(architecture === "arm64" && { interface: "scsi12" }),
  ipConfigs: [
    {
      ipv4: link.dhcp ? { address: "dhcp" } : { address: `${address}/${prefixLength}`, gateway },
      ...(address6 !== undefined &&
        ipv6 && {
          ipv6: {
            address: `${address6}/${ipv6.subnet.split("/")[1] ?? ""}`,
            ...withoutUndefined({ gateway: ipv6.gateway }),
          },
        }),
    },
  ],
  dns: { servers: nameservers },
});
