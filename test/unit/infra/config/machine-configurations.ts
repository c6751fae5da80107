import type { Change } from "../../../support/changes.ts";
import type { BadConfiguration } from "./bad-configurations.ts";

const vm = (key: string, value: unknown): Change => [`nodes/den-dev-wk01/proxmox/${key}`, value];
const at = (key: string): string => `nodes.den-dev-wk01.proxmox.${key}`;

/** Virtual machines that Proxmox or QEMU refuses, or that are not what they seem. */
const virtualMachines: BadConfiguration[] = [
  {
    what: "a processor type that Proxmox does not have",
    stack: "dev",
    changes: [vm("cpuType", "x86-64-v5")],
    problems: [
      [
        at("cpuType"),
        "x86-64-v5 is not a processor type of Proxmox",
        "write one such as host, x86-64-v3 or custom-<name>",
      ],
    ],
  },
  {
    what: "a flag of the processor without its sign",
    stack: "dev",
    changes: [vm("cpuFlags", ["aes"])],
    problems: [
      [
        at("cpuFlags.0"),
        "aes is not a flag that a machine may change",
        "write + or - and one of nested-virt, md-clear, pcid, spec-ctrl, ssbd, ibpb, virt-ssbd, amd-ssbd, amd-no-ssb, pdpe1gb, hv-tlbflush, hv-evmcs, aes",
      ],
    ],
  },
  {
    what: "a flag that is on and off",
    stack: "dev",
    changes: [vm("cpuFlags", ["+aes", "+pcid", "-aes"])],
    problems: [[at("cpuFlags.2"), "-aes is about a flag that the list has already", "remove one of them"]],
  },
  {
    what: "processors of the host that are no set",
    stack: "dev",
    changes: [vm("affinity", "0..3")],
    problems: [[at("affinity"), "0..3 is not a set of processors", 'write one such as "0-3,8-11"']],
  },
  {
    what: "processors of the host as a number",
    stack: "dev",
    changes: [vm("affinity", 3)],
    problems: [[at("affinity"), "3 is not a set of processors", 'write one such as "0-3,8-11"']],
  },
  {
    what: "processors of the host, and a token alone",
    stack: "dev",
    changes: [vm("affinity", "0-3")],
    problems: [
      [
        at("affinity"),
        "is an option that Proxmox lets only root@pam set, and no token of it",
        "remove it, or set root@pam's password with: pulumi config set --secret hearth:proxmoxPassword",
      ],
    ],
    warnings: [],
  },
  {
    what: "a set of processors that ends before it begins",
    stack: "dev",
    secrets: ["proxmoxToken", "proxmoxPassword"],
    changes: [vm("affinity", "0-3,11-8")],
    problems: [[at("affinity"), "11-8 ends before it begins", "write the lower number first"]],
  },
  {
    what: "fewer processors of the host than the machine has cores",
    stack: "dev",
    secrets: ["proxmoxToken", "proxmoxPassword"],
    changes: [vm("affinity", "0-2"), vm("sockets", 2)],
    problems: [],
    warnings: [
      [
        at("affinity"),
        "0-2 are 3 processors for the machine's 8 cores",
        "name as many as the machine has cores, or give it fewer cores",
      ],
    ],
  },
  {
    what: "huge pages without NUMA",
    stack: "dev",
    secrets: ["proxmoxToken", "proxmoxPassword"],
    changes: [vm("hugepages", "1GiB"), vm("numa", false)],
    problems: [
      [
        at("numa"),
        "is false, and Proxmox starts no machine with hugepages without it",
        "leave it out, or remove hugepages",
      ],
    ],
  },
  {
    what: "memory that huge pages do not divide",
    stack: "dev",
    secrets: ["proxmoxToken", "proxmoxPassword"],
    changes: [vm("hugepages", "1GiB"), vm("sockets", 2), vm("memory", 9216)],
    problems: [
      [at("memory"), "9216 MiB are not whole pages of 1024 MiB in each of 2 sockets", "give a multiple of 2048"],
    ],
  },
  {
    what: "huge pages of a size that no processor has",
    stack: "dev",
    changes: [vm("hugepages", "4MiB")],
    problems: [[at("hugepages"), "4MiB is not one of its values", "write 2MiB"]],
  },
  {
    what: "more sockets than a machine has",
    stack: "dev",
    changes: [vm("sockets", 8)],
    problems: [[at("sockets"), "8 is too many", "give 1 to 4"]],
  },
  {
    what: "a display that Hearth does not offer",
    stack: "dev",
    changes: [vm("display", "serial0")],
    problems: [[at("display"), "serial0 is not one of its values", "write serial"]],
  },
  {
    what: "native input and output through the host's cache",
    stack: "dev",
    changes: [vm("diskOptions", { aio: "native", cache: "writeback" })],
    problems: [
      [
        at("diskOptions.aio"),
        "is aio native with cache writeback, which QEMU does not start with",
        "write cache none or directsync, or aio io_uring",
      ],
    ],
  },
  {
    what: "a disk's cache beside the machine's native input and output",
    stack: "dev",
    changes: [vm("diskOptions", { aio: "native" }), vm("extraDisks", [{ size: 10, cache: "writethrough" }])],
    problems: [
      [
        at("extraDisks.0.cache"),
        "is aio native with cache writethrough, which QEMU does not start with",
        "write cache none or directsync, or aio io_uring",
      ],
    ],
  },
  {
    what: "a cache that loses what was written",
    stack: "dev",
    changes: [vm("diskOptions", { cache: "unsafe" })],
    problems: [],
    warnings: [
      [
        at("diskOptions.cache"),
        "is unsafe: what the machine has written is lost when its host fails",
        "write writeback, which keeps what the machine has synced",
      ],
    ],
  },
  {
    what: "a cache that Proxmox does not have",
    stack: "dev",
    changes: [vm("diskOptions", { cache: "write-back" })],
    problems: [[at("diskOptions.cache"), "write-back is not one of its values", "write writeback"]],
  },
  {
    what: "more disks than a controller has room for",
    stack: "dev",
    changes: [
      vm(
        "extraDisks",
        Array.from({ length: 31 }, () => ({ size: 1 })),
      ),
    ],
    problems: [[at("extraDisks"), "are more than a machine's 31 disks", "list at most 30"]],
  },
];

/** Mistakes in the configuration of machines and of what runs on them before Kubernetes does. */
export const badMachines: BadConfiguration[] = [...virtualMachines];
