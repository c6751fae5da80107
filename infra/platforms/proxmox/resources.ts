import { resourceTypes } from "../../../components/resource-types.ts";
import type { Inputs, ResourceFacts } from "../platform.ts";

/** The resources of virtual machines. The identifiers are those of bpg's provider. */
export const proxmoxResources: Record<string, ResourceFacts> = {
  [resourceTypes.virtualMachine]: {
    isMachine: true,
    lostWith: "its machine",
    identifier: (input) => input("vmId"),
    recognizedBy: {
      property: "name",
      refuse: ({ id, is, wanted }) =>
        `Proxmox has another machine under the number ${id}: ${is}, where ${wanted} should be. ` +
        `Give nodes.${wanted}.proxmox another vmId, or remove that machine`,
    },
    // Another host is none of these: a machine migrates. Source: bpg/terraform-provider-proxmox v0.111.1, proxmoxtf/resource/vm/vm.go,
    // ForceNew and CustomizeDiff; adding an EFI disk or a TPM replaces nothing.
    identity: [
      ["vmId"],
      ["efiDisk", "type"],
      ["tpmState", "version"],
      ["initialization", "type"],
      ...["userDataFileId", "vendorDataFileId", "networkDataFileId", "metaDataFileId"].map((id) => [
        "initialization",
        id,
      ]),
    ],
    claims: (inputs, provider) => [
      ...objects(inputs.networkDevices).flatMap(({ macAddress }) => claim("hardware address", macAddress)),
      ...objects(object(inputs.initialization).ipConfigs)
        .map(({ ipv4 }) => object(ipv4).address)
        .filter((address) => address !== "dhcp")
        .flatMap((address) => claim("address", typeof address === "string" ? address.split("/")[0] : address)),
      // A VMID is unique in one Proxmox cluster only.
      ...(typeof inputs.vmId === "number" ? claim("VMID", `${inputs.vmId} at ${String(provider.endpoint)}`) : []),
    ],
  },
  [resourceTypes.haResource]: {
    lostWith: "its machine",
    identifier: (input) => input("resourceId"),
  },
  // Images and rules belong to hosts, and may be lost with them.
  [resourceTypes.image]: {
    lostWith: "any machine",
    identifier: (input) => `${input("datastoreId")}:${input("contentType")}/${input("fileName")}`,
  },
  [resourceTypes.haRule]: { lostWith: "any machine", identifier: (input) => input("rule") },
};

const object = (value: unknown): Inputs => (typeof value === "object" && value !== null ? (value as Inputs) : {});

const objects = (value: unknown): Inputs[] => (Array.isArray(value) ? value.map(object) : []);

const claim = (kind: string, value: unknown): { kind: string; value: string }[] =>
  typeof value === "string" ? [{ kind, value }] : [];
