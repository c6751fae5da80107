import type { z } from "zod";

import { collisions } from "../../config/checks/collisions.ts";
import type { ConfigurationProblem } from "../../config/error.ts";
import type { CommonNode } from "../../config/nodes.ts";
import { bytes } from "../../config/sizes.ts";
import type { PlatformDraft } from "../platform.ts";
import type { proxmoxSchema } from "./settings.ts";
import type { vmSchema } from "./vm.ts";

type Draft = PlatformDraft<CommonNode & { proxmox: z.output<typeof vmSchema> }, z.output<typeof proxmoxSchema>>;
type Check = (draft: Draft) => ConfigurationProblem[];

const apiIsKnown: Check = ({ nodes, settings, complete }) =>
  settings || !complete
    ? []
    : Object.keys(nodes).map((name) => ({
        path: ["nodes", name, "platform"],
        problem: "is proxmox, but hearth:proxmox does not say where its API is",
        advice: "add hearth:proxmox with endpoint, or write platform: metal for bare metal",
      }));

const apiIsUsed: Check = ({ nodes, settings, complete }) =>
  settings && complete && Object.keys(nodes).length === 0
    ? [
        {
          path: ["proxmox"],
          problem: "is not used, for no node is a virtual machine",
          advice: "remove it, or write platform: proxmox in a node",
          warning: true,
        },
      ]
    : [];

/** Proxmox gives a machine one link. Bonds belong to its hosts. */
const bondsAreItsHosts: Check = ({ nodes }) =>
  Object.entries(nodes)
    .filter(([, { bond }]) => bond)
    .map(([name]) => ({
      path: ["nodes", name, "bond"],
      problem: "has no effect on a virtual machine, which has one link",
      advice: "leave it out, and bond the links of the Proxmox host",
    }));

const keysHaveTpm: Check = ({ cluster, nodes }) =>
  Object.entries(nodes)
    .filter(([, { diskEncryption = cluster?.diskEncryption }]) => diskEncryption === "tpm")
    .filter(([, { proxmox }]) => proxmox.tpm === false)
    .map(([name]) => ({
      path: ["nodes", name, "proxmox", "tpm"],
      problem: "is false, but the key of its disk is in the TPM",
      advice: "leave it out, or set diskEncryption to nodeID or none",
    }));

/** A host that fails takes all its machines with it, and half of the control planes are no quorum. */
const controlPlanesAreApart: Check = ({ nodes, settings }) => {
  const virtual = Object.entries(nodes).map(([name, { role, proxmox: vm }]) => ({ name, role, vm }));
  const hosts = new Set([...virtual.map(({ vm }) => vm.host), ...(settings?.hosts ?? [])]);
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

/** Without the guest agent Proxmox cannot shut down a machine or show its addresses. */
const guestAgent: Check = ({ images = {}, nodes }) =>
  Object.entries(images)
    .filter(([profile]) => Object.values(nodes).some(({ image }) => image === profile))
    .filter(([, { extensions }]) => !extensions.includes("siderolabs/qemu-guest-agent"))
    .map(([profile]) => ({
      path: ["images", profile, "extensions"],
      problem: "lacks the guest agent, by which Proxmox shuts machines down",
      advice: "add siderolabs/qemu-guest-agent",
      warning: true,
    }));

const uniqueVmIds: Check = ({ nodes }) =>
  collisions(
    Object.entries(nodes).map(([name, { proxmox: vm }]) => ({
      path: ["nodes", name, "proxmox", "vmId"],
      value: String(vm.vmId),
      owner: `the number of ${name}`,
      advice: "give one of them another; numbers are unique in the whole Proxmox cluster",
    })),
  );

/** Without a selector EPHEMERAL is on the disk that Talos is installed to. */
const ephemeralFits: Check = ({ nodes }) =>
  Object.entries(nodes).flatMap(
    ([
      name,
      {
        ephemeral,
        proxmox: { disk },
      },
    ]) => {
      const least = bytes(ephemeral?.minSize);
      if (ephemeral?.disk !== undefined || least === undefined || least <= disk * 1024 ** 3) return [];
      return [
        {
          path: ["nodes", name, "ephemeral", "minSize"],
          problem: `${String(ephemeral?.minSize)} is more than the machine's disk of ${disk} GiB`,
          advice: "make the disk larger, or minSize smaller",
        },
      ];
    },
  );

const checks = [
  apiIsKnown,
  apiIsUsed,
  bondsAreItsHosts,
  keysHaveTpm,
  controlPlanesAreApart,
  guestAgent,
  uniqueVmIds,
  ephemeralFits,
];

/** Finds all problems and warnings of a stack's virtual machines. */
export const checkProxmox: Check = (draft) => checks.flatMap((check) => check(draft));
