import * as proxmox from "@pulumi/proxmoxve";
import * as pulumi from "@pulumi/pulumi";

import { apartMachines } from "./affinity.ts";
import { hostImage, hostImages, type ImagePlace } from "./images.ts";
import type { Machine } from "./machine.ts";
import { vmArgs, type ProxmoxDefaults, type ProxmoxMachine } from "./vm.ts";

export interface ProxmoxMachinesArgs extends ProxmoxDefaults, ImagePlace {
  /** Name of the cluster that they are machines of. */
  cluster: string;
  machines: Record<string, ProxmoxMachine>;
  /** What registers the images that machines boot. */
  imageProfiles?: pulumi.Input<pulumi.Resource>[];
  /** Hosts of the Proxmox cluster beside those that machines are on. */
  hosts?: string[];
  /**
   * Have Proxmox keep control planes on different hosts.
   *
   * It puts them under Proxmox's high availability, which alone looks at such rules, and which moves the machines of a host
   * that fails to others: for disks that all hosts see.
   */
  antiAffinity: boolean;
  /** Changes what a resource is made with, in the last moment. */
  transform?: {
    /** @param name the machine's */
    vm?: (args: proxmox.VmLegacyArgs, name: string) => proxmox.VmLegacyArgs;
    image?: (args: proxmox.download.FileArgs) => proxmox.download.FileArgs;
  };
}

/** Virtual machines on Proxmox VE that have booted Talos. */
export class ProxmoxMachines extends pulumi.ComponentResource {
  readonly machines: Record<string, Machine>;

  constructor(name: string, args: ProxmoxMachinesArgs, opts?: pulumi.ComponentResourceOptions) {
    super("hearth:machines:ProxmoxMachines", name, {}, opts);
    const images = this.downloadImages(args);
    const vms = this.createVms(images, args);
    this.keepApart(vms, args);
    this.machines = Object.fromEntries(
      Object.entries(args.machines).map(([machineName, { facts }]) => [
        machineName,
        {
          ...facts,
          platform: "nocloud",
          resources: [...vms].flatMap(([vmName, vm]) => (vmName === machineName ? [vm] : [])),
          resetOnDestroy: false,
        },
      ]),
    );
    this.registerOutputs({});
  }

  private downloadImages(args: ProxmoxMachinesArgs): Map<string, proxmox.download.File> {
    const transform = args.transform?.image ?? ((given: proxmox.download.FileArgs) => given);
    return new Map(
      hostImages(Object.values(args.machines), args).map(({ name, host, datastore, fileName, url }) => [
        name,
        new proxmox.download.File(
          name,
          transform({
            nodeName: host,
            datastoreId: datastore,
            contentType: "import",
            url,
            fileName,
            // The factory's answer may change its length; a schematic and a release never change their meaning.
            overwrite: false,
          }),
          { parent: this, dependsOn: args.imageProfiles ?? [] },
        ),
      ]),
    );
  }

  private createVms(
    images: Map<string, proxmox.download.File>,
    args: ProxmoxMachinesArgs,
  ): Map<string, proxmox.VmLegacy> {
    const transform = args.transform?.vm ?? ((given: proxmox.VmLegacyArgs) => given);
    return new Map(
      Object.entries(args.machines).map(([name, machine]) => {
        const image = images.get(hostImage(machine, args).name);
        const inputs = transform(vmArgs(name, machine, args, image?.id), name);
        return [
          name,
          new proxmox.VmLegacy(name, inputs, {
            parent: this,
            ignoreChanges: onlyAtCreation(machine),
            deleteBeforeReplace: true,
          }),
        ];
      }),
    );
  }

  private keepApart(vms: Map<string, proxmox.VmLegacy>, args: ProxmoxMachinesArgs): void {
    const apart = args.antiAffinity ? apartMachines(args.machines, args.hosts ?? []) : [];
    if (apart.length === 0) return;
    const managed = apart.map(
      (name) =>
        new proxmox.Haresource(
          name,
          {
            resourceId: `vm:${args.machines[name]?.vmId ?? 0}`,
            state: "started",
            // Its disk is where it is: on another host it would not find it.
            maxRelocate: 0,
          },
          { parent: this, dependsOn: vms.get(name) },
        ),
    );
    new proxmox.Harule(
      `${args.cluster}-control-planes`,
      {
        rule: `${args.cluster}-control-planes`,
        type: "resource-affinity",
        affinity: "negative",
        resources: managed.map(({ resourceId }) => resourceId),
      },
      { parent: this },
    );
  }
}

/** Inputs that are of no account once the machine is there. */
const onlyAtCreation = ({ extraDisks = [] }: ProxmoxMachine): string[] => [
  // The image only makes the disk: a new one is reached by upgrading Talos, never by a new machine.
  "disks[0].importFrom",
  // The plugin adds a default for the speed limit that the provider reads back as nothing.
  ...[undefined, ...extraDisks].map((_, index) => `disks[${index}].speed`),
];
