import type { Platform } from "../platform.ts";
import { proxmoxDangers } from "./dangers.ts";
import { node, type ProxmoxNode } from "./node.ts";
import { proxmoxPool } from "./pool.ts";
import { checkProxmox } from "./checks.ts";
import { proxmoxResources } from "./resources.ts";
import { proxmoxSchema, type ProxmoxSettings } from "./settings.ts";
import { proxmoxSetup } from "./setup.ts";

export type { ProxmoxNode } from "./node.ts";

const groups = {
  /** The Proxmox cluster, for nodes that are virtual machines. */
  proxmox: proxmoxSchema.optional(),
};

const secrets = {
  proxmoxToken: "API token of Proxmox, USER@REALM!ID=SECRET.",
  proxmoxPassword:
    "Password of root@pam, only for machines with affinity or hugepages. It then takes the place of the token.",
} as const;

/** Virtual machines on Proxmox VE. */
export const proxmox = {
  name: "proxmox",
  machine: "a virtual machine on Proxmox",
  node,
  pool: proxmoxPool,
  groups,
  secrets,
  resources: proxmoxResources,
  dangers: proxmoxDangers,
  setup: proxmoxSetup,
  check: checkProxmox,
  /** The API's address, if the endpoint has one instead of a name. It is taken even if it is outside the subnet. */
  addresses: (settings) => {
    const hostname = settings && new URL(settings.endpoint).hostname;
    return hostname !== undefined && /^[\d.]+$/.test(hostname)
      ? [{ path: ["proxmox", "endpoint"], value: hostname, owner: "the address of the Proxmox API" }]
      : [];
  },
  claims: (name, { proxmox: { vmId } }, settings) =>
    settings
      ? [
          {
            namespace: "vmId",
            path: ["nodes", name, "proxmox", "vmId"],
            value: `${new URL(settings.endpoint).host} ${vmId}`,
            shown: String(vmId),
            owner: `the number of ${name}`,
          },
        ]
      : [],
  placement: ({ proxmox: { host, vmId, cores, sockets = 1, memory } }) => ({
    host,
    id: String(vmId),
    cores: cores * sockets,
    memory,
  }),
} as const satisfies Platform<ProxmoxNode, ProxmoxSettings>;
