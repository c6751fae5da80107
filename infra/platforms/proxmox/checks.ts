import { collisions } from "../../config/checks/collisions.ts";
import { count, type ConfigurationProblem } from "../../config/error.ts";
import type { PlatformDraft } from "../platform.ts";
import { diskProblems } from "./disks.ts";
import type { ProxmoxNode } from "./node.ts";
import type { ProxmoxSettings } from "./settings.ts";
import { trustProblems } from "./trust-checks.ts";
import { rootOnly, tuningProblems } from "./tuning-checks.ts";

type Draft = PlatformDraft<ProxmoxNode, ProxmoxSettings>;
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

/** Links of a virtual machine do not fail by themselves. A bond of one link only names it. */
const bondsAreItsHosts: Check = ({ nodes }) =>
  Object.entries(nodes).flatMap(([name, node]) =>
    [{ path: ["bond"], bond: node.bond }, ...bondsOfLinks(node)]
      .filter(({ bond }) => bond && bond.macs.length > 0)
      .map(({ path }) => ({
        path: ["nodes", name, ...path],
        problem: "has no effect on a virtual machine, whose links are all the host's",
        advice: "remove its macs, and bond the links of the Proxmox host",
      })),
  );

const bondsOfLinks = ({ links }: ProxmoxNode) =>
  Object.entries(links).map(([network, { bond }]) => ({ path: ["links", network, "bond"], bond }));

const connectionsAreUsed: Check = ({ nodes, settings, complete }) =>
  Object.keys((complete ? settings?.networks : undefined) ?? {})
    .filter((network) => Object.values(nodes).every(({ links }) => links[network]?.mac === undefined))
    .map((network) => ({
      path: ["proxmox", "networks", network],
      problem: "connects nothing, for no virtual machine has a link with a mac to this network",
      advice: `remove it, or give links.${network} of the nodes a mac`,
    }));

/** On one bridge and in one VLAN, two links of a machine are in one segment, and the kernel answers on either for both. */
const linksAreApart: Check = ({ nodes, settings }) =>
  Object.entries(nodes).flatMap(([name, { links, proxmox: vm }]) => {
    const own = `${vm.bridge ?? settings?.bridge ?? ""} ${vm.vlan ?? settings?.vlan ?? ""}`;
    return Object.entries(links)
      .filter(([network, { mac }]) => {
        const { bridge = vm.bridge ?? settings?.bridge ?? "", vlan } = settings?.networks[network] ?? {};
        return mac !== undefined && `${bridge} ${vlan ?? ""}` === own;
      })
      .map(([network]) => ({
        path: ["nodes", name, "links", network, "mac"],
        problem: "is a second link on the bridge of the first, in no VLAN of its own",
        advice: `give proxmox.networks.${network} another bridge or a vlan; or remove this, and the link is a VLAN on the first`,
        warning: true,
      }));
  });

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

/** Source: siderolabs/talos v1.13.9, pkg/minimal/limits.go. The schema refuses what is less than its minimum. */
const recommendedMemory = 4096;

const memoryForRole: Check = ({ nodes }) =>
  Object.entries(nodes)
    .filter(([, { role, proxmox: vm }]) => role === "controlplane" && vm.memory < recommendedMemory)
    .map(([name, { proxmox: vm }]) => ({
      path: ["nodes", name, "proxmox", "memory"],
      problem: `${vm.memory} is less than Talos recommends for a control plane`,
      advice: `give at least ${recommendedMemory} MiB`,
      warning: true,
    }));

/** Both the bridge and the machine would tag its packets, which the network reads as a VLAN in a VLAN. */
const taggedOnce: Check = ({ nodes, settings }) =>
  Object.entries(nodes).flatMap(([name, { vlan, proxmox: vm }]) => {
    const outer = vm.vlan ?? settings?.vlan;
    if (vlan === undefined || outer === undefined) return [];
    return [
      {
        path: ["nodes", name, "vlan"],
        problem: `${vlan} is inside VLAN ${outer}, which the bridge puts the machine into`,
        advice: `remove it, or ${vm.vlan === undefined ? "proxmox.vlan" : `nodes.${name}.proxmox.vlan`}`,
        warning: true,
      },
    ];
  });

/**
 * Only an ISO enrols Talos's keys; a disk image leaves the firmware in setup mode, where it verifies nothing.
 *
 * Source: siderolabs/talos v1.13.9, pkg/imager/iso/uefi.go writes loader/keys/auto, and pkg/imager/out.go none for disk images.
 */
const secureBootIsOff: Check = ({ cluster, nodes }) =>
  Object.entries(nodes).flatMap(([name, node]): ConfigurationProblem[] => {
    const { secureBoot = cluster?.secureBoot, diskEncryption = cluster?.diskEncryption } = node;
    if (!secureBoot) return [];
    const path = ["nodes", name, "secureBoot"];
    const problem = "is never on, for a virtual machine's firmware has no keys";
    return diskEncryption === "tpm"
      ? [
          {
            path,
            problem: `${problem}, and without it Talos encrypts no disk by the TPM`,
            advice: "set secureBoot of the node to false, or its diskEncryption to nodeID",
          },
        ]
      : [
          {
            path,
            problem,
            advice: "set it to false at the node, or enrol Talos's keys from its ISO by hand",
            warning: true,
          },
        ];
  });

/** The provider adds the API's own path. Source: bpg/terraform-provider-proxmox v0.111.1, proxmox/api/client.go. */
const endpointIsOrigin: Check = ({ settings }) =>
  settings && new URL(settings.endpoint).pathname !== "/"
    ? [
        {
          path: ["proxmox", "endpoint"],
          problem: `${settings.endpoint} has a path, and the API's own is added to it`,
          advice: `write ${new URL(settings.endpoint).origin}`,
        },
      ]
    : [];

const serialsOnce: Check = ({ nodes }) =>
  Object.entries(nodes).flatMap(([name, { proxmox: vm }]) =>
    collisions(
      vm.extraDisks.flatMap(({ serial }, index) =>
        serial === undefined
          ? []
          : [
              {
                path: ["nodes", name, "proxmox", "extraDisks", index, "serial"],
                value: serial,
                owner: "the serial number of another disk of the machine",
                advice: "give each disk one of its own: links under /dev/disk/by-id are made of it",
              },
            ],
      ),
    ),
  );

/** A rule that keeps control planes apart needs more than one of them and of their hosts. */
const affinityIsPossible: Check = ({ nodes, settings, complete }) => {
  if (!settings?.antiAffinity || !complete) return [];
  const controlPlanes = Object.values(nodes).filter(({ role }) => role === "controlplane");
  const hosts = new Set([...Object.values(nodes).map(({ proxmox: vm }) => vm.host), ...settings.hosts]);
  if (controlPlanes.length > 1 && hosts.size >= controlPlanes.length) return [];
  return [
    {
      path: ["proxmox", "antiAffinity"],
      problem: `has no effect with ${count(controlPlanes.length, "control plane")} on ${count(hosts.size, "host")}`,
      advice: "remove it, or name as many hosts as there are control planes, and at least two",
      warning: true,
    },
  ];
};

const disksHold: Check = ({ nodes }) => Object.entries(nodes).flatMap(([name, node]) => diskProblems(name, node));

const machinesStart: Check = ({ nodes, secrets }) =>
  Object.entries(nodes).flatMap(([name, { proxmox: vm }]) => [
    ...tuningProblems(name, vm),
    ...(secrets.includes("proxmoxPassword") ? [] : rootOnly(name, vm)),
  ]);

/** Source: qemu-server 9.2.6, src/PVE/QemuServer/CPUConfig.pm and CPUFlags.pm. A drive without a medium and cloud-init's have two places. */
const armMachines: Check = ({ images = {}, nodes }) =>
  Object.entries(nodes)
    .filter(([, { image }]) => images[image]?.architecture === "arm64")
    .flatMap(
      ([
        name,
        {
          image,
          proxmox: { cpuType = "host", cpuFlags, extraDisks },
        },
      ]) => {
        const path = ["nodes", name, "proxmox"];
        return [
          ...(["host", "max"].includes(cpuType) || cpuType.startsWith("custom-")
            ? []
            : [
                {
                  path: [...path, "cpuType"],
                  problem: `${cpuType} is a processor of amd64, and the machine's image is for arm64`,
                  advice: "leave it out: such a machine has its host's processor",
                },
              ]),
          ...(cpuFlags.length === 0
            ? []
            : [
                {
                  path: [...path, "cpuFlags"],
                  problem: "are of amd64, and the machine's image is for arm64",
                  advice: "leave them out",
                },
              ]),
          ...(extraDisks.length <= 11
            ? []
            : [
                {
                  path: [...path, "extraDisks"],
                  problem: "are more than the 11 that a machine of arm64 has room for",
                  advice: "make fewer and larger ones",
                },
              ]),
          ...(images[image]?.overlay
            ? [
                {
                  path: ["images", image, "overlay"],
                  problem: `is of a single-board computer, and ${name} is a virtual machine`,
                  advice: "make a profile without it for virtual machines",
                },
              ]
            : []),
        ];
      },
    );

const isTrustedOnce: Check = ({ settings }) => (settings ? trustProblems(settings) : []);

const checks = [
  armMachines,
  apiIsKnown,
  apiIsUsed,
  bondsAreItsHosts,
  connectionsAreUsed,
  linksAreApart,
  keysHaveTpm,
  controlPlanesAreApart,
  guestAgent,
  uniqueVmIds,
  memoryForRole,
  taggedOnce,
  secureBootIsOff,
  endpointIsOrigin,
  isTrustedOnce,
  serialsOnce,
  affinityIsPossible,
  disksHold,
  machinesStart,
];

/** Finds all problems and warnings of a stack's virtual machines. */
export const checkProxmox: Check = (draft) => checks.flatMap((check) => check(draft));
