import { z } from "zod";

import { commonKeys } from "../../config/nodes.ts";
import { device } from "../../config/values.ts";
import { vmSchema } from "./vm.ts";

/** The disk that a virtual machine boots from: the one with the image is scsi0. Source: components/machines/vm.ts. */
export const bootDisk = "/dev/sda";

/** A node whose machine is a virtual machine on Proxmox. */
export const node = z.strictObject({
  /** Platform of the node's machine. */
  platform: z.literal("proxmox"),
  ...commonKeys,
  /** Path of the disk that Talos is installed to. A virtual machine has no other than /dev/sda. @default /dev/sda for virtual machines */
  installDisk: device.default(bootDisk),
  /** The virtual machine, with `platform: proxmox`. */
  proxmox: vmSchema,
});

export type ProxmoxNode = z.output<typeof node>;
