import { resourceTypes } from "../../../components/resource-types.ts";
import { Problem } from "../../../toolchain/problem.ts";
import { byIdentifier, refresh, type Adopter, type Adopters } from "./adopter.ts";
import { text } from "./properties.ts";

/** A virtual machine is known by its number; one of another name is somebody else's. */
const virtualMachine: Adopter = async (creation) => {
  const { inputs } = creation;
  const id = text(inputs, "vmId");
  const found = await refresh(creation, id);
  if (found === undefined) return undefined;
  const name = text(found.properties, "name");
  if (name === text(inputs, "name")) return found;
  throw new Problem(
    `Proxmox has another machine under the number ${id}: ${name}, where ${text(inputs, "name")} should be. ` +
      `Give nodes.${text(inputs, "name")}.proxmox another vmId, or remove that machine`,
  );
};

/** How Proxmox's resources are found. Their identifiers are those that bpg's provider gives them. */
export const proxmoxAdopters: Adopters = {
  [resourceTypes.virtualMachine]: virtualMachine,
  [resourceTypes.image]: byIdentifier(
    (inputs) => `${text(inputs, "datastoreId")}:${text(inputs, "contentType")}/${text(inputs, "fileName")}`,
  ),
  [resourceTypes.haResource]: byIdentifier((inputs) => text(inputs, "resourceId")),
  [resourceTypes.haRule]: byIdentifier((inputs) => text(inputs, "rule")),
};
