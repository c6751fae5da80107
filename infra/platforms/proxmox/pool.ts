import { z } from "zod";

import { says } from "../../config/error.ts";
import { poolKeys, singleKeys, without } from "../../config/pool-keys.ts";
import type { PlatformPool } from "../platform.ts";
import { node } from "./node.ts";
import { proxmoxSetup } from "./setup.ts";
import { vmSchema } from "./vm.ts";

const notNumbers = says("is not a range of VMIDs", "write the first and the last, such as 3101-3150");

const schema = node.omit({ ...singleKeys, proxmox: true }).extend({
  ...poolKeys,
  /** The virtual machines, with `platform: proxmox`. */
  proxmox: vmSchema.omit({ host: true, vmId: true }).extend({
    /** Proxmox hosts of its machines, one after the other. A host that is added moves machines: make another pool for it. */
    hosts: z.array(z.string()).min(1, says("is empty", "name at least one")),
    /** First and last VMID of its machines, one after the other by their serial number. @example "3101-3150" */
    vmIds: z.string(notNumbers).regex(/^[1-9]\d{2,8}-[1-9]\d{2,8}$/, notNumbers),
  }),
});

const placementOf = (pool: object) => {
  const { hosts, vmIds } = (pool as z.output<typeof schema>).proxmox;
  const [first = 0, last = 0] = vmIds.split("-").map(Number);
  return { hosts, first, last };
};

/** Virtual machines that differ in their host and their numbers only. */
export const proxmoxPool = {
  schema,
  room: (pool) => {
    const { first, last } = placementOf(pool);
    return [{ path: ["proxmox", "vmIds"], what: "VMIDs", size: Math.max(0, last - first + 1) }];
  },
  member: (node, pool, index) => {
    const { hosts, first } = placementOf(pool);
    const own = { host: hosts[index % hosts.length], vmId: first + index };
    return {
      ...node,
      mac: proxmoxSetup.mac(String(node.address)),
      proxmox: { ...without(node.proxmox as object, "hosts", "vmIds"), ...own },
    };
  },
} as const satisfies PlatformPool;
