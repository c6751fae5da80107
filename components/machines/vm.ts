import type * as proxmox from "@pulumi/proxmoxve";
import type * as pulumi from "@pulumi/pulumi";

import { withoutUndefined } from "../talos/documents/index.ts";
import type { MachineFacts } from "./machine.ts";

/** A virtual machine, and what is said of it alone. */
export interface ProxmoxMachine {
  facts: MachineFacts;
  /** Proxmox host that it runs on. */
  host: string;
  vmId: number;
  cores: number;
  /** MiB */
  memory: number;
  /** GiB of the disk that Talos is installed to. */
  disk: number;
  /** Further disks, `/dev/sdb` and on. They may be added at the end and grow; taking one away destroys what it holds. */
  extraDisks?: ExtraDisk[] | undefined;
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
  /** Processor sockets and memory are laid out as nodes, which hotplug needs. @default false */
  numa?: boolean | undefined;
  /** @default when the disk's key is in a TPM */
  tpm?: boolean | undefined;
  /** Starts with its host. @default true */
  onBoot?: boolean | undefined;
  startup?: Partial<Startup> | undefined;
  /**
   * Stop and start it when a change needs that. All machines that change stop at once.
   * @default false for control planes, so that etcd keeps its quorum, and true for workers
   */
  rebootAfterUpdate?: boolean | undefined;
  pool?: string | undefined;
  /** Beside the cluster's. */
  tags?: string[] | undefined;
  /** Devices of the host that are mapped for it, by the name of the mapping. */
  pciMappings?: string[] | undefined;
}

export interface ExtraDisk {
  /** GiB */
  size: number;
  /** @default the machine's */
  datastore?: string | undefined;
  /** What the disk calls itself, for a selector to find it. */
  serial?: string | undefined;
}

/** When a machine starts with its host. */
export interface Startup {
  /** Low ones first. @default 1 for control planes, 2 for workers */
  order: number;
  /** Seconds until the next one starts. @default 5 */
  upDelay: number;
  /** Seconds that it has to shut down. @default 60 */
  downDelay: number;
}

/** What all virtual machines of a cluster have in common. */
export interface ProxmoxDefaults {
  /** Datastore of boot images, with the content type `import`. */
  imageDatastore: string;
  diskDatastore: string;
  bridge: string;
  /** VLAN that the bridge puts machines into. */
  vlan?: number | undefined;
  gateway: string;
  nameservers: string[];
  /** Length of the subnet's prefix. */
  prefixLength: number;
  tags: string[];
}

/** The inputs of a virtual machine, as Talos wants it. */
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
    machine: "q35",
    bios: "ovmf",
    operatingSystem: { type: "l26" },
    cpu: { cores: machine.cores, type: machine.cpuType ?? "host", ...withoutUndefined({ numa: machine.numa }) },
    // Kubernetes counts on the memory that it sees.
    memory: { dedicated: machine.memory, floating: 0 },
    scsiHardware: "virtio-scsi-pci",
    // Talos enrols its own keys, and firmware that has others already does not boot it.
    efiDisk: { datastoreId: datastore, type: "4m", preEnrolledKeys: false },
    ...((machine.tpm ?? facts.encryption === "tpm") && { tpmState: { datastoreId: datastore, version: "v2.0" } }),
    disks: [
      { ...disk(0, machine.disk, datastore), ...(image !== undefined && { importFrom: image }) },
      ...(machine.extraDisks ?? []).map(({ size, serial, datastore: own }, index) => ({
        ...disk(index + 1, size, own ?? datastore),
        ...withoutUndefined({ serial }),
      })),
    ],
    networkDevices: [
      {
        bridge: machine.bridge ?? defaults.bridge,
        model: "virtio",
        macAddress: facts.link.mac,
        ...withoutUndefined({ vlanId: machine.vlan ?? defaults.vlan, mtu: facts.link.mtu }),
      },
    ],
    initialization: initialization(facts, datastore, defaults),
    ...(machine.pciMappings?.length && {
      hostpcis: machine.pciMappings.map((mapping, index) => ({ device: `hostpci${index}`, mapping, pcie: true })),
    }),
    // In maintenance mode the agent does not answer, so nothing may wait for the address that it would tell.
    agent: { enabled: true, waitForIp: { disabled: true } },
    startup: { order: isControlPlane ? 1 : 2, upDelay: 5, downDelay: 60, ...withoutUndefined({ ...machine.startup }) },
    onBoot: machine.onBoot ?? true,
    rebootAfterUpdate: machine.rebootAfterUpdate ?? !isControlPlane,
    stopOnDestroy: true,
  };
};

const disk = (index: number, size: number, datastoreId: string) => ({
  interface: `scsi${index}`,
  datastoreId,
  size,
  discard: "on",
  iothread: false,
});

/** What tells the machine its address before it has a configuration. */
const initialization = (
  { address, link }: MachineFacts,
  datastoreId: string,
  { prefixLength, gateway, nameservers }: ProxmoxDefaults,
) => ({
  datastoreId,
  ipConfigs: [{ ipv4: link.dhcp ? { address: "dhcp" } : { address: `${address}/${prefixLength}`, gateway } }],
  dns: { servers: nameservers },
});
