import * as proxmox from "@pulumi/proxmoxve";
import * as pulumi from "@pulumi/pulumi";

import { diskImageUrl } from "../talos/schematic.ts";
import type { Machine } from "./machine.ts";

export interface ProxmoxMachinesArgs {
  machines: Record<string, ProxmoxMachine>;
  /** Talos release of the boot images. */
  talos: string;
  /** Datastore for boot images, with the content type `import`. */
  imageDatastore: string;
  diskDatastore: string;
  bridge: string;
  gateway: string;
  nameservers: string[];
  /** Length of the subnet's prefix. */
  prefixLength: number;
  tags: string[];
}

export interface ProxmoxMachine {
  /** What the machine is to those who do not care where it runs. */
  facts: Omit<Machine, "address" | "platform">;
  address: string;
  /** Proxmox host that it runs on. */
  host: string;
  vmId: number;
  cores: number;
  /** MiB */
  memory: number;
  /** GiB */
  disk: number;
}

/** Virtual machines on Proxmox VE that have booted Talos. */
export class ProxmoxMachines extends pulumi.ComponentResource {
  readonly machines: Record<string, Machine>;

  constructor(name: string, args: ProxmoxMachinesArgs, opts?: pulumi.ComponentResourceOptions) {
    super("hearth:machines:ProxmoxMachines", name, {}, opts);
    const images = this.downloadImages(args);
    this.machines = Object.fromEntries(
      Object.entries(args.machines).map(([machineName, machine]) => [
        machineName,
        this.boot(machineName, machine, images, args),
      ]),
    );
    this.registerOutputs({});
  }

  private downloadImages(args: ProxmoxMachinesArgs): Map<string, proxmox.download.File> {
    const images = new Map<string, proxmox.download.File>();
    for (const {
      host,
      facts: { schematic },
    } of Object.values(args.machines)) {
      const key = imageKey(host, schematic);
      if (images.has(key)) continue;
      const image = new proxmox.download.File(
        `${key}-${args.talos}`,
        {
          nodeName: host,
          datastoreId: args.imageDatastore,
          contentType: "import",
          url: diskImageUrl(schematic, args.talos),
          fileName: `talos-${args.talos}-${schematic.slice(0, 12)}.qcow2`,
          // The factory's answer may change its length; a schematic and a release never change their meaning.
          overwrite: false,
        },
        { parent: this },
      );
      images.set(key, image);
    }
    return images;
  }

  private boot(
    name: string,
    machine: ProxmoxMachine,
    images: Map<string, proxmox.download.File>,
    args: ProxmoxMachinesArgs,
  ): Machine {
    const image = images.get(imageKey(machine.host, machine.facts.schematic));
    const vm = new proxmox.VmLegacy(
      name,
      {
        name,
        nodeName: machine.host,
        vmId: machine.vmId,
        tags: args.tags,
        machine: "q35",
        bios: "ovmf",
        operatingSystem: { type: "l26" },
        cpu: { cores: machine.cores, type: "host" },
        memory: { dedicated: machine.memory, floating: 0 },
        scsiHardware: "virtio-scsi-pci",
        efiDisk: { datastoreId: args.diskDatastore, type: "4m", preEnrolledKeys: false },
        disks: [
          {
            interface: "scsi0",
            datastoreId: args.diskDatastore,
            size: machine.disk,
            discard: "on",
            iothread: false,
            importFrom: image?.id,
          },
        ],
        networkDevices: [{ bridge: args.bridge, model: "virtio", macAddress: machine.facts.mac }],
        initialization: {
          datastoreId: args.diskDatastore,
          ipConfigs: [{ ipv4: { address: `${machine.address}/${args.prefixLength}`, gateway: args.gateway } }],
          dns: { servers: args.nameservers },
        },
        // In maintenance mode the agent does not answer, so nothing may wait for the address that it would tell.
        agent: { enabled: true, waitForIp: { disabled: true } },
        startup: { order: machine.facts.role === "controlplane" ? 1 : 2, upDelay: 5, downDelay: 60 },
        onBoot: true,
        stopOnDestroy: true,
      },
      {
        parent: this,
        ignoreChanges: [
          // The image only makes the disk: a new one is reached by upgrading Talos, never by a new machine.
          "disks[0].importFrom",
          // The plugin adds a default for the speed limit that the provider reads back as nothing.
          "disks[0].speed",
        ],
      },
    );
    return { ...machine.facts, platform: "nocloud", address: vm.id.apply(() => machine.address) };
  }
}

const imageKey = (host: string, schematic: string): string => `talos-${host}-${schematic.slice(0, 12)}`;
