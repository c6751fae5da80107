import { resourceTypes } from "../../components/resource-types.ts";
import { isSkipped, machineDocuments, ofKind } from "../machine-documents.ts";
import { at } from "../resource.ts";
import type { Rule } from "../rule.ts";

/** The Talos volumes with secrets. STATE holds the machine configuration; EPHEMERAL holds etcd and everything that pods write. */
const volumes = ["STATE", "EPHEMERAL"];

/** Requires encryption, so that a stolen disk reveals nothing. */
export const diskEncryption: Rule = {
  name: "disk-encryption",
  description: "Machines of a production stack encrypt their disks.",
  check: (resource, stack) => {
    if (resource.type !== resourceTypes.machineConfiguration || !stack.isProduction || isSkipped(resource)) return [];
    const documents = ofKind(machineDocuments(resource), "VolumeConfig");
    const open = volumes.filter((volume) => {
      const keys = at(
        documents.findLast(({ name }) => name === volume),
        "encryption",
        "keys",
      );
      return !(Array.isArray(keys) && keys.length > 0);
    });
    if (open.length === 0) return [];
    return [
      {
        problem: `${resource.name} keeps ${open.join(" and ")} unencrypted`,
        advice: "set cluster.diskEncryption, or the node's own diskEncryption, to tpm or nodeID before it is installed",
        subject: resource.name,
      },
    ];
  },
};
