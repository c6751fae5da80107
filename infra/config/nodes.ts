import { z } from "zod";

import { says } from "./error.ts";
import { address, device, mac, name } from "./values.ts";

/** The virtual machine of a node. */
const vmSchema = z.strictObject({
  host: z.string(),
  vmId: z
    .int()
    .min(100, says("is below 100, which Proxmox keeps for itself", "choose one from 100 to 999999999"))
    .max(999_999_999, says("is above what Proxmox can count to", "choose one from 100 to 999999999")),
  cores: z.int().positive(says("is no number of cores", "give at least 1")),
  /** MiB */
  memory: z.int().min(2048, says("is less than Talos needs", "give at least 2048 MiB")),
  /** GiB */
  disk: z.int().min(10, says("is less than Talos needs", "give at least 10 GiB")),
});

export const nodeSchema = z.strictObject({
  role: z.enum(["controlplane", "worker"]),
  /** Name of an image profile under `images`. */
  image: z.string(),
  address,
  mac,
  /** Path of the disk that Talos is installed to. */
  installDisk: device,
  labels: z.record(z.string(), z.string()).default({}),
  /** The virtual machine; a node without it is bare metal. */
  proxmox: vmSchema.optional(),
});

/** Nodes by name. */
export const nodesSchema = z.record(name, nodeSchema);

export type NodeConfig = z.output<typeof nodeSchema>;
