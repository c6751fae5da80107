import { z } from "zod";

import { httpsUrl, name, vlan } from "../../config/values.ts";
import { certificates, fingerprint } from "./certificates.ts";
import { tag } from "./vm.ts";

export const proxmoxSchema = z.strictObject({
  /** URL of the API. @example "https://10.20.0.5:8006" */
  endpoint: httpsUrl("https://10.20.0.5:8006"),
  /** Datastore for boot images. It needs the content type `import`. */
  imageDatastore: z.string(),
  /** Datastore for the disks of machines. @example "local-lvm" */
  diskDatastore: z.string(),
  /** Datastores that all hosts share. An image is downloaded to them once. */
  sharedDatastores: z.array(z.string()).default([]),
  /** Bridge of the hosts that machines are connected to. @example "vmbr0" */
  bridge: z.string(),
  /** VLAN that the bridge puts machines into. */
  vlan: vlan.optional(),
  /**
   * How links of machines are connected to further networks, by the network's name.
   *
   * @example { storage: { bridge: vmbr1 } }
   */
  networks: z
    .record(
      name,
      z.strictObject({
        /** Bridge of the hosts. @default the machines' */
        bridge: z.string().optional(),
        /** VLAN that the bridge puts the link into. */
        vlan: vlan.optional(),
      }),
    )
    .default({}),
  /** Hosts of the Proxmox cluster without a node of this stack. */
  hosts: z.array(z.string()).default([]),
  /** Tags of all machines, in addition to hearth and the cluster's name. */
  tags: z.array(tag).default([]),
  /**
   * Makes Proxmox keep control planes on different hosts, if there are enough of both. Use it only if all hosts share the disks.
   *
   * It puts the control planes under Proxmox's high availability. A host that loses its cluster then restarts itself, and its
   * machines are moved to another host, which cannot start them without their disks.
   * @default false
   */
  antiAffinity: z.boolean().default(false),
  /**
   * Certificate of the authority that signs Proxmox's, in PEM: `/etc/pve/pve-root-ca.pem` of any host. While Hearth runs Pulumi, its
   * plugins trust it beside the system's.
   */
  ca: certificates.optional(),
  /**
   * SHA-256 of the certificate that the endpoint presents, as Proxmox shows it: under System, Certificates of the host, or by
   * `pvenode cert info`. It is another after the certificate was renewed.
   */
  fingerprint: fingerprint.optional(),
  /** Accept any certificate, an intruder's too. @default false */
  insecure: z.boolean().default(false),
});

export type ProxmoxSettings = z.output<typeof proxmoxSchema>;
