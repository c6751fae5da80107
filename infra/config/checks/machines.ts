import { collisions } from "./collisions.ts";
import type { Check } from "./check.ts";

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

/** A host that goes takes all of its machines along, and half of the control planes are no quorum. */
const controlPlanesAreApart: Check = ({ nodes, proxmox }) => {
  const virtual = Object.entries(nodes).flatMap(([name, { role, proxmox: vm }]) => (vm ? [{ name, role, vm }] : []));
  const hosts = new Set([...virtual.map(({ vm }) => vm.host), ...(proxmox?.hosts ?? [])]);
  const controlPlanes = virtual.filter(({ role }) => role === "controlplane");
  const idle = [...hosts].filter((host) => controlPlanes.every(({ vm }) => vm.host !== host));
  if (idle.length === 0) return [];
  return controlPlanes.flatMap(({ name, vm }, index) => {
    const other = controlPlanes.slice(0, index).find((earlier) => earlier.vm.host === vm.host);
    if (!other) return [];
    return [
      {
        path: ["nodes", name, "proxmox", "host"],
        problem: `${vm.host} is the host of ${other.name} too, and both are lost with it`,
        advice: `use a host without a control plane, such as ${idle[0] ?? ""}`,
        warning: true,
      },
    ];
  });
};

export const machineChecks: Check[] = [
  uniqueLinks,
  bondsAreMetal,
  keysHaveTpm,
  tpmKnowsWhatBooted,
  controlPlanesAreApart,
];
