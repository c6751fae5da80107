import { isDeepStrictEqual } from "node:util";

import { resourceTypes } from "../../components/resource-types.ts";
import { nameOf } from "../../components/urn.ts";
import { at, type Resource } from "../resource.ts";
import type { Finding, Rule } from "../rule.ts";
import type { Recorded } from "../stack.ts";

/**
 * Inputs for which Proxmox's provider makes another machine, with empty disks. The host is none of them: a machine migrates.
 *
 * Source: bpg/terraform-provider-proxmox v0.111.1, proxmoxtf/resource/vm, ForceNew and CustomizeDiff.
 */
export const replacing: string[][] = [
  ["vmId"],
  ["efiDisk", "type"],
  ["tpmState", "version"],
  ["initialization", "type"],
  ...["userDataFileId", "vendorDataFileId", "networkDataFileId", "metaDataFileId"].map((id) => ["initialization", id]),
];

/** Virtual machines and their disks are lost only where an exemption names them. */
export const keptMachines: Rule = {
  name: "kept-machines",
  description: "No virtual machine is replaced or deleted that no exemption names.",
  check: (resource, stack) => {
    const recorded = resource.type === resourceTypes.virtualMachine ? stack.recorded(resource.urn) : undefined;
    const because = recorded && replacing.find((path) => differs(resource, recorded, path));
    return because ? [lost(resource.name, `replaced, because of ${because.join(".")}`)] : [];
  },
  finish: ({ surroundings: { recorded }, seen }) =>
    recorded
      .filter(({ type, urn }) => type === resourceTypes.virtualMachine && !seen.has(urn))
      .map(({ urn }) => lost(nameOf(urn), "deleted")),
};

/** What is said of a virtual machine that would be lost. */
export const lost = (name: string, how: string): Finding => ({
  problem: `the virtual machine ${name} would be ${how}, and all its disks with it`,
  advice: "undo it, or name the machine in an exemption with resources and until",
  subject: name,
});

const differs = ({ inputs }: Resource, recorded: Recorded, path: string[]): boolean => {
  const [value, before] = [at(inputs, ...path), at(recorded.inputs, ...path)];
  // What is not known yet tells nothing, and adding such a disk replaces nothing.
  return value !== undefined && before !== undefined && !isDeepStrictEqual(value, before);
};
