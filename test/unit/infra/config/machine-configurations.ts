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

const pool = (changes: Record<string, unknown> = {}, vmChanges: Record<string, unknown> = {}): Change => [
  "pools",
  {
    "den-dev-gw": {
      ...{ platform: "proxmox", role: "worker", image: "standard", count: 3, addresses: "10.20.0.31-10.20.0.40" },
      proxmox: { hosts: ["pve1"], vmIds: "2031-2040", cores: 2, memory: 4096, disk: 40, ...vmChanges },
      ...changes,
    },
  },
];

const pools: BadConfiguration[] = [
  {
    what: "a pool whose name ends in a number",
    stack: "dev",
    changes: [["pools", { "den-dev-gw01": (pool()[1] as Record<string, unknown>)["den-dev-gw"] }]],
    problems: [
      [
        "pools.den-dev-gw01",
        "den-dev-gw01 is not the name of a pool",
        "write its nodes' without the number, such as den-dev-wk",
      ],
    ],
  },
  {
    what: "a pool without machines",
    stack: "dev",
    changes: [pool({ count: 0 })],
    problems: [["pools.den-dev-gw.count", "0 is no number of machines", "give at least 1"]],
  },
  {
    what: "a pool of a platform that nobody knows",
    stack: "dev",
    changes: [pool({ platform: "vmware" })],
    problems: [
      [
        "pools.den-dev-gw.platform",
        "vmware is not a platform that has pools",
        "write platform: proxmox or platform: metal",
      ],
    ],
  },
  {
    what: "a pool with an address for one machine",
    stack: "dev",
    changes: [pool({ address: "10.20.0.31" })],
    problems: [["pools.den-dev-gw.address", "is not a key that Hearth knows", "write address6"]],
  },
  {
    what: "addresses of a pool as a subnet",
    stack: "dev",
    changes: [pool({ addresses: "10.20.0.32/28" })],
    problems: [
      [
        "pools.den-dev-gw.addresses",
        "10.20.0.32/28 is not a range of addresses",
        "write the first and the last, such as 10.20.0.21-10.20.0.60",
      ],
    ],
  },
  {
    what: "fewer addresses and numbers than machines",
    stack: "dev",
    changes: [pool({ addresses: "10.20.0.31-10.20.0.32" }, { vmIds: "2031-2031" })],
    problems: [
      [
        "pools.den-dev-gw.addresses",
        "has 2 addresses for 3 machines",
        "make it larger at its end, where it moves no machine, or count smaller",
      ],
      [
        "pools.den-dev-gw.proxmox.vmIds",
        "has 1 VMIDs for 3 machines",
        "make it larger at its end, where it moves no machine, or count smaller",
      ],
    ],
  },
  {
    what: "VMIDs of a pool that are one number",
    stack: "dev",
    changes: [pool({}, { vmIds: "2031" })],
    problems: [
      [
        "pools.den-dev-gw.proxmox.vmIds",
        "2031 is not a range of VMIDs",
        "write the first and the last, such as 3101-3150",
      ],
    ],
  },
  {
    what: "a pool without hosts",
    stack: "dev",
    changes: [pool({}, { hosts: [] })],
    problems: [["pools.den-dev-gw.proxmox.hosts", "is empty", "name at least one"]],
  },
  {
    what: "a serial number to skip that the pool does not have",
    stack: "dev",
    changes: [pool({ skip: [2, 4] })],
    problems: [["pools.den-dev-gw.skip.1", "4 is not a serial number of the pool", "give 1 to 3, or remove it"]],
  },
  {
    what: "a pool that has the name of a node",
    stack: "dev",
    changes: [
      [
        "pools",
        {
          "den-dev-wk": {
            ...((pool()[1] as Record<string, object>)["den-dev-gw"] ?? {}),
            first: 2,
            count: 1,
          },
        },
      ],
    ],
    problems: [
      [
        "pools.den-dev-wk",
        "has a machine den-dev-wk02, which stands under nodes too",
        "add its serial number to skip, or begin at another with first",
      ],
    ],
  },
  {
    what: "a pool whose addresses and numbers are those of nodes",
    stack: "dev",
    changes: [pool({ count: 1, addresses: "10.20.0.11-10.20.0.19" }, { vmIds: "2011-2019" })],
    problems: [
      [
        "pools.den-dev-gw.proxmox.vmIds",
        "2011 is also the number of den-dev-cp01",
        "give one of them another; numbers are unique in the whole Proxmox cluster",
      ],
      [
        "pools.den-dev-gw.addresses",
        "10.20.0.11 is also the address of den-dev-cp01",
        "give one of them another address, such as 10.20.0.2",
      ],
    ],
  },
  {
    what: "a secret in a pool, once",
    stack: "dev",
    changes: [pool({ annotations: { note: `ghp_${"a".repeat(30)}` } })],
    problems: [
      [
        "pools.den-dev-gw.annotations.note",
        "holds a GitHub token for everyone to read",
        "replace the secret, and remove it from the file: everyone who reads the repository can read it",
      ],
    ],
  },
  {
    what: "a mistake that every machine of a pool has, once",
    stack: "dev",
    changes: [pool({ image: "standrad" })],
    problems: [["pools.den-dev-gw.image", "standrad is not a profile under images", "write standard"]],
  },
  {
    what: "fewer hardware addresses than machines",
    stack: "prod",
    changes: [
      [
        "pools",
        {
          "den-prod-wk": {
            ...{ platform: "metal", role: "worker", image: "intel", installDisk: "/dev/sda", count: 2 },
            ...{ addresses: "10.30.0.21-10.30.0.29", macs: ["7C:83:34:30:00:21"] },
          },
        },
      ],
    ],
    problems: [
      [
        "pools.den-prod-wk.macs",
        "has 1 hardware addresses for 2 machines",
        "make it larger at its end, where it moves no machine, or count smaller",
      ],
    ],
  },
];

const surroundings: BadConfiguration[] = [
  {
    what: "an authority that is a file's name",
    stack: "dev",
    changes: [["cluster/trustedRoots", { home: "ca.crt" }]],
    problems: [
      [
        "cluster.trustedRoots.home",
        "ca.crt is not a certificate",
        "paste the authority's certificate in PEM, beginning with -----BEGIN",
      ],
    ],
  },
  {
    what: "a static host by its name",
    stack: "dev",
    changes: [["cluster/staticHosts", { "nas.example.com": ["10.20.0.8"] }]],
    problems: [
      ["cluster.staticHosts.nas.example.com", "nas.example.com is not an IPv4 address", "write one such as 10.20.0.11"],
    ],
  },
  {
    what: "a static host with a name that DNS does not have",
    stack: "dev",
    changes: [["cluster/staticHosts", { "10.20.0.8": ["my_nas"] }]],
    problems: [
      ["cluster.staticHosts.10.20.0.8.0", "my_nas is not the name of a host", "write one such as nas.example.com"],
    ],
  },
  {
    what: "logs that are sent by HTTP",
    stack: "dev",
    changes: [["cluster/logDestinations", [{ url: "https://logs.example.com" }]]],
    problems: [
      [
        "cluster.logDestinations.0.url",
        "https://logs.example.com is not where logs can be sent",
        "write tcp:// or udp://, a host and a port, such as udp://10.20.0.8:6051",
      ],
    ],
  },
  {
    what: "a kernel's log that is sent to no port",
    stack: "dev",
    changes: [["cluster/kernelLogDestinations", { nas: "udp://10.20.0.8" }]],
    problems: [
      [
        "cluster.kernelLogDestinations.nas",
        "udp://10.20.0.8 is not where logs can be sent",
        "write tcp:// or udp://, a host and a port, such as udp://10.20.0.8:6051",
      ],
    ],
  },
  {
    what: "a watchdog that bites too soon",
    stack: "dev",
    changes: [["cluster/watchdog", { timeout: "5s" }]],
    problems: [
      ["cluster.watchdog.timeout", "5s is no time that Talos accepts", "write at least 10s, such as 30s or 1m"],
    ],
  },
  {
    what: "a watchdog that is no device",
    stack: "dev",
    changes: [["cluster/watchdog", { device: "iTCO_wdt" }]],
    problems: [["cluster.watchdog.device", "iTCO_wdt is not a watchdog", "write its path, such as /dev/watchdog0"]],
  },
  {
    what: "credentials of a registry in the file itself",
    stack: "dev",
    changes: [["cluster/registryMirrors", { "ghcr.io": { endpoints: ["https://me:hunter2hunter2@ghcr.io"] } }]],
    problems: [
      [
        "cluster.registryMirrors.ghcr.io.endpoints.0",
        "holds a URL with a password for everyone to read",
        "replace the secret, and remove it from the file: everyone who reads the repository can read it",
      ],
    ],
  },
  {
    what: "time servers with NTS, which Talos does not speak",
    stack: "dev",
    changes: [["network/timeServers", ["nts://time.cloudflare.com"]]],
    problems: [
      [
        "network.timeServers.0",
        "nts://time.cloudflare.com is not a host name or an address",
        "write one such as time.cloudflare.com",
      ],
    ],
  },
];

const oidc = (changes: Record<string, unknown>): Change => [
  "cluster/oidc",
  { issuer: "https://id.example.com/realms/home", clientId: "kubernetes", ...changes },
];

const access: BadConfiguration[] = [
  {
    what: "an identity provider without TLS",
    stack: "dev",
    changes: [oidc({ issuer: "http://id.example.com" })],
    problems: [
      [
        "cluster.oidc.issuer",
        "http://id.example.com is not a URL with https",
        "write one such as https://id.example.com/realms/home",
      ],
    ],
  },
  {
    what: "names of a provider that are Kubernetes's own",
    stack: "dev",
    changes: [oidc({ prefix: "system:" })],
    problems: [["cluster.oidc.prefix", "system: is Kubernetes's own", "use another, such as oidc:"]],
  },
  {
    what: "names of a provider without anything before them",
    stack: "dev",
    changes: [oidc({ prefix: "" })],
    problems: [["cluster.oidc.prefix", "is not a prefix", "end it with a colon, such as oidc:"]],
  },
  {
    what: "a provider without a client",
    stack: "dev",
    changes: [oidc({ clientId: undefined })],
    problems: [["cluster.oidc.clientId", "is missing", "add it, such as kubernetes"]],
  },
  {
    what: "a group with a role that has no name",
    stack: "dev",
    changes: [oidc({ groups: { family: "View" } })],
    problems: [["cluster.oidc.groups.family", "View is not the name of a role", "write one such as view or admin"]],
  },
  {
    what: "two groups of a provider whose bindings have one name",
    stack: "dev",
    changes: [oidc({ groups: { "family/adults": "view", "family.adults": "view" } })],
    problems: [
      [
        "cluster.oidc.groups.family.adults",
        "The name oidc-family-adults-view of its binding is also that of family/adults",
        "rename one of the groups, so that they differ in letters or digits",
      ],
    ],
  },
  {
    what: "two groups of people whose bindings have one name",
    stack: "dev",
    changes: [["cluster/groups", { "admins-of": "view", admins: "of-view" }]],
    problems: [
      [
        "cluster.groups.admins",
        "The name people-admins-of-view of its binding is also that of admins-of",
        "rename one of the groups, so that they differ in letters or digits",
      ],
    ],
  },
  {
    what: "a group of people that is Kubernetes's own",
    stack: "dev",
    changes: [["cluster/groups", { "system:masters": "cluster-admin" }]],
    problems: [
      ["cluster.groups.system:masters", "system:masters is not the name of a group", "write one such as admins"],
    ],
  },
  {
    what: "a group of people with a role that has no name",
    stack: "dev",
    changes: [["cluster/groups", { family: "View" }]],
    problems: [["cluster.groups.family", "View is not the name of a role", "write one such as view or admin"]],
  },
  {
    what: "an audit level beside rules",
    stack: "dev",
    changes: [
      ["cluster/auditLevel", "Metadata"],
      ["cluster/auditPolicy", [{ level: "None" }]],
    ],
    problems: [
      [
        "cluster.auditLevel",
        "stands beside auditPolicy, whose rules decide alone",
        "remove it, or make it the last rule",
      ],
    ],
  },
  {
    what: "an audit rule about resources and paths",
    stack: "dev",
    changes: [["cluster/auditPolicy", [{ level: "None", namespaces: ["apps"], nonResourceURLs: ["/healthz*"] }]]],
    problems: [["cluster.auditPolicy.0", "is about resources and about paths that are none", "make two rules of it"]],
  },
  {
    what: "no audit rule at all",
    stack: "dev",
    changes: [["cluster/auditPolicy", []]],
    problems: [["cluster.auditPolicy", "is empty", "list at least one rule, such as level: Metadata"]],
  },
];

const architectures: BadConfiguration[] = [
  {
    what: "an architecture that Talos is not built for",
    stack: "dev",
    changes: [["images/standard/architecture", "riscv64"]],
    problems: [["images.standard.architecture", "riscv64 is not one of its values", "use amd64 or arm64"]],
  },
  {
    what: "Intel's microcode for arm64",
    stack: "prod",
    changes: [["images/intel/architecture", "arm64"]],
    problems: [
      [
        "images.intel.extensions.0",
        "siderolabs/intel-ucode is for hardware of amd64, and the profile is for arm64",
        "remove it, or write architecture: amd64",
      ],
    ],
  },
  {
    what: "a single-board computer of amd64",
    stack: "prod",
    changes: [["images/intel/overlay", { image: "siderolabs/sbc-raspberrypi", name: "rpi_generic" }]],
    problems: [
      [
        "images.intel.overlay",
        "is of a single-board computer, and the profile is for amd64",
        "write architecture: arm64, or remove it",
      ],
    ],
  },
  {
    what: "an overlay that is an extension",
    stack: "prod",
    changes: [
      ["images/intel/overlay", { image: "siderolabs/vc4", name: "rpi_generic" }],
      ["images/intel/architecture", "arm64"],
    ],
    problems: [
      [
        "images.intel.overlay.image",
        "siderolabs/vc4 is not an overlay",
        "write one such as siderolabs/sbc-raspberrypi",
      ],
    ],
  },
  {
    what: "a virtual machine of arm64 with amd64's processor and more disks than it has room for",
    stack: "dev",
    changes: [
      ["images/standard/architecture", "arm64"],
      vm("cpuType", "x86-64-v3"),
      vm("cpuFlags", ["+aes"]),
      vm(
        "extraDisks",
        Array.from({ length: 12 }, () => ({ size: 1 })),
      ),
    ],
    problems: [
      [
        at("cpuType"),
        "x86-64-v3 is a processor of amd64, and the machine's image is for arm64",
        "leave it out: such a machine has its host's processor",
      ],
      [at("cpuFlags"), "are of amd64, and the machine's image is for arm64", "leave them out"],
      [at("extraDisks"), "are more than the 11 that a machine of arm64 has room for", "make fewer and larger ones"],
    ],
  },
];

/** Mistakes in the configuration of machines and of what runs on them before Kubernetes does. */
export const badMachines: BadConfiguration[] = [
  ...virtualMachines,
  ...pools,
  ...surroundings,
  ...access,
  ...architectures,
];
