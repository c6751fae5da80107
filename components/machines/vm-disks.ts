import type * as pulumi from "@pulumi/pulumi";

import { withoutUndefined } from "../talos/documents/index.ts";

/** How the host serves a disk. */
export interface DiskOptions {
  /** Presents it as a disk that does not rotate. @default false */
  ssd?: boolean | undefined;
  /** Serves it by a thread of its own. @default false */
  iothread?: boolean | undefined;
  /** @default "none" */
  cache?: "none" | "writethrough" | "writeback" | "unsafe" | "directsync" | undefined;
  /** @default "io_uring" */
  aio?: "io_uring" | "native" | "threads" | undefined;
  /** Tells the datastore which blocks are free. @default true */
  discard?: boolean | undefined;
  /** Whether Proxmox's backups include it. @default true */
  backup?: boolean | undefined;
  /** Whether Proxmox's replication includes it. @default true */
  replicate?: boolean | undefined;
}

/** A disk beside the one that Talos is installed to. Its options take precedence over the machine's. */
export interface ExtraDisk extends DiskOptions {
  /** GiB */
  size: number;
  /** @default the machine's */
  datastore?: string | undefined;
  /** Serial number of the disk, which a selector can match. */
  serial?: string | undefined;
}

/** The disks of a virtual machine. */
export interface VmDisks {
  /** GiB of the disk that Talos is installed to. */
  disk: number;
  extraDisks?: ExtraDisk[] | undefined;
  diskOptions?: DiskOptions | undefined;
}

/**
 * Returns the inputs of a virtual machine's disks and of their controller.
 *
 * @param datastore of all disks that have none of their own
 * @param image the first disk's initial content
 */
export const vmDisks = (
  { disk, extraDisks = [], diskOptions = {} }: VmDisks,
  datastore: string,
  image: pulumi.Input<string> | undefined,
) => {
  const disks = [
    { size: disk, datastoreId: datastore, ...options(diskOptions), ...withoutUndefined({ importFrom: image }) },
    ...extraDisks.map(({ size, serial, datastore: own, ...itsOptions }) => ({
      size,
      datastoreId: own ?? datastore,
      ...options({ ...diskOptions, ...withoutUndefined({ ...itsOptions }) }),
      ...withoutUndefined({ serial }),
    })),
  ].map((each, index) => ({ interface: `scsi${index}`, ...each }));
  return {
    // Proxmox ignores a thread unless each disk has a controller. Source: qemu-server 9.2.6, src/PVE/QemuServer.pm, config_to_command.
    scsiHardware: disks.some(({ iothread }) => iothread) ? "virtio-scsi-single" : "virtio-scsi-pci",
    disks,
  };
};

const options = ({ discard = true, iothread = false, ...others }: DiskOptions) => ({
  discard: discard ? "on" : "ignore",
  iothread,
  ...withoutUndefined({ ...others }),
});
