import { collisions } from "./collisions.ts";
import type { Check } from "./index.ts";

/** The links of a bond are hardware: each belongs to one machine. */
const uniqueLinks: Check = ({ nodes }) =>
  collisions(
    Object.entries(nodes).flatMap(([name, { mac, bond }]) =>
      [mac, ...(bond?.macs ?? [])].map((value, index) => ({
        path: index === 0 ? ["nodes", name, "mac"] : ["nodes", name, "bond", "macs", index - 1],
        value,
        owner: `a link of ${name}`,
        advice: "name each link once",
      })),
    ),
  ).filter(({ path }) => path.includes("bond"));

/** Proxmox gives a machine one link, and bonds its own. */
const bondsAreMetal: Check = ({ nodes }) =>
  Object.entries(nodes)
    .filter(([, { bond, proxmox }]) => bond && proxmox)
    .map(([name]) => ({
      path: ["nodes", name, "bond"],
      problem: "is of no use to a virtual machine, which has one link",
      advice: "leave it out, and bond the links of the Proxmox host",
    }));

const keysHaveTpm: Check = ({ cluster, nodes }) =>
  Object.entries(nodes)
    .filter(([, { diskEncryption = cluster?.diskEncryption }]) => diskEncryption === "tpm")
    .filter(([, { proxmox }]) => proxmox?.tpm === false)
    .map(([name]) => ({
      path: ["nodes", name, "proxmox", "tpm"],
      problem: "is false, but the key of its disk is in the TPM",
      advice: "leave it out, or set diskEncryption to nodeID or none",
    }));

/** Without SecureBoot anything that boots gets the key. */
const tpmKnowsWhatBooted: Check = ({ cluster }) =>
  cluster?.diskEncryption === "tpm" && !cluster.secureBoot
    ? [
        {
          path: ["cluster", "diskEncryption"],
          problem: "is tpm without SecureBoot, so that whatever boots gets the key",
          advice: "set cluster.secureBoot to true",
          warning: true,
        },
      ]
    : [];

export const machineChecks: Check[] = [uniqueLinks, bondsAreMetal, keysHaveTpm, tpmKnowsWhatBooted];
