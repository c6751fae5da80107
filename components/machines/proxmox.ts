import * as proxmox from "@pulumi/proxmoxve";
import * as pulumi from "@pulumi/pulumi";

import { apartMachines } from "./affinity.ts";
import { hostImage, hostImages, type ImagePlace } from "./images.ts";
import type { Machine } from "./machine.ts";
import { vmArgs, type ProxmoxDefaults, type ProxmoxMachine } from "./vm.ts";

export interface ProxmoxMachinesArgs extends ProxmoxDefaults, ImagePlace {
  /** Name of the cluster that the machines belong to. */
  cluster: string;
  machines: Record<string, ProxmoxMachine>;
  /** Resources that register the images which machines boot. */
  imageProfiles?: pulumi.Input<pulumi.Resource>[];
  /** Hosts of the Proxmox cluster without a machine of this stack. */
  hosts?: string[];
  /**
   * Makes Proxmox keep control planes on different hosts.
   *
   * Such a rule applies only to machines under Proxmox's high availability, which moves the machines of a failed host to
   * others. All hosts therefore have to share the machines' disks.
   */
  antiAffinity: boolean;
  /** Changes the inputs of a resource before it is created. */
  transform?: {
    /** @param name the machine's name */
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
            // The size that the factory reports may change. The content for a schematic and a release does not.
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
            // Talos encrypts no disk that exists.
            replacementTrigger: machine.facts.encryption,
            protect: true,
            ...aliasOf(machine),
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
            // The disk is local. On another host the machine would not find it.
            maxRelocate: 0,
          },
          { parent: this, dependsOn: vms.get(name), ...aliasOf(args.machines[name]) },
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

/** The name in the state of a machine whose node was renamed. */
const aliasOf = (machine: ProxmoxMachine | undefined): pulumi.CustomResourceOptions =>
  machine?.facts.renamedFrom === undefined ? {} : { aliases: [{ name: machine.facts.renamedFrom }] };

/** Inputs that have no effect after creation. */
const onlyAtCreation = ({ extraDisks = [] }: ProxmoxMachine): string[] => [
  // The image is only the disk's initial content. Upgrading Talos replaces it, so a new image needs no new machine.
  "disks[0].importFrom",
  // The plugin adds a default speed limit, which the provider reads back as no limit.
  ...[undefined, ...extraDisks].map((_, index) => `disks[${index}].speed`),
];
