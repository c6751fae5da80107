import type { ConfigurationProblem } from "../../config/error.ts";
import type { ProxmoxNode } from "./node.ts";
import { processorsOf } from "./tuning.ts";

type VmCheck = (name: string, vm: ProxmoxNode["proxmox"]) => ConfigurationProblem[];

/** Every set of options of a machine's disks, with its path, and those that apply to it. */
const optionsOf = ({ diskOptions, extraDisks }: ProxmoxNode["proxmox"]) => [
  { path: ["diskOptions"], own: diskOptions, all: diskOptions },
  ...extraDisks.map((disk, index) => ({
    path: ["extraDisks", index],
    own: disk,
    all: { cache: disk.cache ?? diskOptions.cache, aio: disk.aio ?? diskOptions.aio },
  })),
];

/** QEMU refuses it: "aio=native was specified, but it requires cache.direct=on". Source: QEMU 10.1, block/file-posix.c. */
const nativeBypassesCache: VmCheck = (name, vm) =>
  optionsOf(vm).flatMap(({ path, own, all: { cache = "none", aio } }) =>
    (own.aio !== undefined || own.cache !== undefined) && aio === "native" && !["none", "directsync"].includes(cache)
      ? [
          {
            path: ["nodes", name, "proxmox", ...path, own.aio === undefined ? "cache" : "aio"],
            problem: `is aio native with cache ${cache}, which QEMU does not start with`,
            advice: "write cache none or directsync, or aio io_uring",
          },
        ]
      : [],
  );

const cacheSurvives: VmCheck = (name, vm) =>
  optionsOf(vm)
    .filter(({ own }) => own.cache === "unsafe")
    .map(({ path }) => ({
      path: ["nodes", name, "proxmox", ...path, "cache"],
      problem: "is unsafe: what the machine has written is lost when its host fails",
      advice: "write writeback, which keeps what the machine has synced",
      warning: true,
    }));

/** Source: qemu-server 9.2.6, src/PVE/QemuServer/Memory.pm, config and hugepages_size. Each NUMA node has its share of the memory. */
const pagesDivideMemory: VmCheck = (name, { hugepages, numa, memory, sockets = 1 }) => {
  if (hugepages === undefined) return [];
  const page = hugepages === "1GiB" ? 1024 : 2;
  return [
    ...(numa === false
      ? [
          {
            path: ["nodes", name, "proxmox", "numa"],
            problem: "is false, and Proxmox starts no machine with hugepages without it",
            advice: "leave it out, or remove hugepages",
          },
        ]
      : []),
    ...(memory % (page * sockets) === 0
      ? []
      : [
          {
            path: ["nodes", name, "proxmox", "memory"],
            problem: `${memory} MiB are not whole pages of ${page} MiB${sockets > 1 ? ` in each of ${sockets} sockets` : ""}`,
            advice: `give a multiple of ${page * sockets}`,
          },
        ]),
  ];
};

const affinityHasProcessors: VmCheck = (name, { affinity, cores, sockets = 1 }) => {
  if (affinity === undefined) return [];
  const path = ["nodes", name, "proxmox", "affinity"];
  const backwards = affinity.split(",").find((part) => processorsOf(part).length === 0);
  if (backwards !== undefined) {
    return [{ path, problem: `${backwards} ends before it begins`, advice: "write the lower number first" }];
  }
  const processors = processorsOf(affinity).length;
  return processors < cores * sockets
    ? [
        {
          path,
          problem: `${affinity} are ${processors} processors for the machine's ${cores * sockets} cores`,
          advice: "name as many as the machine has cores, or give it fewer cores",
          warning: true,
        },
      ]
    : [];
};

const flagsAgree: VmCheck = (name, { cpuFlags }) =>
  cpuFlags.flatMap((flag, index) =>
    cpuFlags.slice(0, index).some((earlier) => earlier.slice(1) === flag.slice(1))
      ? [
          {
            path: ["nodes", name, "proxmox", "cpuFlags", index],
            problem: `${flag} is about a flag that the list has already`,
            advice: "remove one of them",
          },
        ]
      : [],
  );

/** Proxmox counts no token as root. Source: qemu-server 9.2.6, src/PVE/API2/Qemu.pm, check_vm_modify_config_perm. */
export const rootOnly = (name: string, vm: ProxmoxNode["proxmox"]): ConfigurationProblem[] =>
  (["affinity", "hugepages"] as const)
    .filter((key) => vm[key] !== undefined)
    .map((key) => ({
      path: ["nodes", name, "proxmox", key],
      problem: "is an option that Proxmox lets only root@pam set, and no token of it",
      advice: "remove it, or set root@pam's password with: pulumi config set --secret hearth:proxmoxPassword",
    }));

const checks = [nativeBypassesCache, cacheSurvives, pagesDivideMemory, affinityHasProcessors, flagsAgree];

/** Finds options of a virtual machine that Proxmox or QEMU refuses, or that harm it. */
export const tuningProblems: VmCheck = (name, vm) => checks.flatMap((check) => check(name, vm));
