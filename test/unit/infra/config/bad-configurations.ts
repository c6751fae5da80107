import { setSecret } from "../../../../infra/config/secrets.ts";
import type { Change } from "../../../support/changes.ts";

/** A mistake that a person may make in a stack file, and all that is said of it: where, what, what to write instead. */
export interface BadConfiguration {
  what: string;
  /** The committed stack file that is changed. */
  stack: "dev" | "prod";
  changes: Change[];
  /** Keys under `hearth:` of the secrets that are set. @default none */
  secrets?: string[];
  problems: [path: string, problem: string, advice: string][];
  /** What is said of it although it is accepted. Not compared where it is undefined. */
  warnings?: [path: string, problem: string, advice: string][];
}

export const badConfigurations: BadConfiguration[] = [
  {
    what: "a key that nobody knows",
    stack: "dev",
    changes: [["cluster/colour", "red"]],
    problems: [
      ["cluster.colour", "is not a key that Hearth knows", "remove it; docs/reference/configuration.md has all keys"],
    ],
  },
  {
    what: "a slip of the keyboard in a key",
    stack: "dev",
    changes: [["cluster/vipp", "10.20.0.10"]],
    problems: [["cluster.vipp", "is not a key that Hearth knows", "write vip"]],
  },
  {
    what: "a slip in a node's key",
    stack: "dev",
    changes: [["nodes/den-dev-wk01/adress", "10.20.0.21"]],
    problems: [["nodes.den-dev-wk01.adress", "is not a key that Hearth knows", "write address"]],
  },
  {
    what: "an Image Factory without TLS",
    stack: "dev",
    changes: [["imageFactory", "http://factory.example.com"]],
    problems: [
      [
        "imageFactory",
        "http://factory.example.com is not the URL of an Image Factory",
        "write one such as https://factory.talos.dev",
      ],
    ],
  },
  {
    what: "an Image Factory with a path",
    stack: "dev",
    changes: [["imageFactory", "https://example.com/factory"]],
    problems: [["imageFactory", "https://example.com/factory has a path", "write the scheme and the host alone"]],
  },
  {
    what: "no cluster",
    stack: "dev",
    changes: [["cluster", undefined]],
    problems: [
      [
        "cluster",
        "is missing",
        "add it: The Talos cluster: its releases, its address ranges, and the settings that all its machines share.",
      ],
    ],
  },
  {
    what: "no repository",
    stack: "dev",
    changes: [["gitops/repository", undefined]],
    problems: [["gitops.repository", "is missing", "add it, such as ssh://git@github.com/you/hearth.git"]],
  },
  {
    what: "no release of Talos",
    stack: "dev",
    changes: [["cluster/talos", undefined]],
    problems: [["cluster.talos", "is missing", "add it, such as v1.13.9"]],
  },
  {
    what: "a node without a role",
    stack: "dev",
    changes: [["nodes/den-dev-wk01/role", undefined]],
    problems: [["nodes.den-dev-wk01.role", "is missing", "add it, such as controlplane"]],
  },
  {
    what: "a number where text belongs",
    stack: "dev",
    changes: [["cluster/name", 7]],
    problems: [["cluster.name", "7 is a number, not a text", "write a text, such as den-dev"]],
  },
  {
    what: "a release that YAML reads as a number",
    stack: "dev",
    changes: [["cluster/contract", 1.13]],
    problems: [["cluster.contract", "1.13 is a number, not a text", "write a text, such as v1.13"]],
  },
  {
    what: "text where a number belongs",
    stack: "dev",
    changes: [["nodes/den-dev-wk01/proxmox/cores", "four"]],
    problems: [["nodes.den-dev-wk01.proxmox.cores", "four is a text, not a number", "write a number, such as 4"]],
  },
  {
    what: "half a core",
    stack: "dev",
    changes: [["nodes/den-dev-wk01/proxmox/cores", 1.5]],
    problems: [["nodes.den-dev-wk01.proxmox.cores", "1.5 has a fraction", "give a whole number"]],
  },
  {
    what: "text where a list belongs",
    stack: "dev",
    changes: [["network/nameservers", "10.20.0.1"]],
    problems: [["network.nameservers", "10.20.0.1 is a text, not a list", 'write a list, such as ["10.20.0.1"]']],
  },
  {
    what: "a list where keys belong",
    stack: "dev",
    changes: [["nodes", []]],
    problems: [
      [
        "nodes",
        "is a list, not a group of keys",
        "write a group of keys: Nodes by name, `<site>-<env>-<purpose><serial>`.",
      ],
    ],
  },
  {
    what: "a label that YAML reads as true",
    stack: "dev",
    changes: [["nodes/den-dev-wk01/labels", { "hearth.dev/storage": true }]],
    problems: [
      ["nodes.den-dev-wk01.labels.hearth.dev/storage", "true is a boolean, not a text", 'put it into quotes: "true"'],
    ],
  },
  {
    what: "an address that is none",
    stack: "dev",
    changes: [["nodes/den-dev-wk01/address", "10.20.0.300"]],
    problems: [["nodes.den-dev-wk01.address", "10.20.0.300 is not an IPv4 address", "write one such as 10.20.0.11"]],
  },
  {
    what: "a range without a prefix",
    stack: "dev",
    changes: [["network/subnet", "10.20.0.0"]],
    problems: [["network.subnet", "10.20.0.0 is not an IPv4 range", "write one such as 10.20.0.0/24"]],
  },
  {
    what: "a hardware address with too few parts",
    stack: "dev",
    changes: [["nodes/den-dev-wk01/mac", "BC:24:11:20:00"]],
    problems: [
      ["nodes.den-dev-wk01.mac", "BC:24:11:20:00 is not a MAC address", "write one such as BC:24:11:20:00:11"],
    ],
  },
  {
    what: "a Talos release without its v",
    stack: "dev",
    changes: [["cluster/talos", "1.13.9"]],
    problems: [["cluster.talos", "1.13.9 is not a release", "write one with three numbers, such as v1.13.9"]],
  },
  {
    what: "a release without a patch number",
    stack: "dev",
    changes: [["cluster/kubernetes", "v1.36"]],
    problems: [["cluster.kubernetes", "v1.36 is not a release", "write one with three numbers, such as v1.13.9"]],
  },
  {
    what: "a contract with a patch number",
    stack: "dev",
    changes: [["cluster/contract", "v1.13.9"]],
    problems: [["cluster.contract", "v1.13.9 is not a minor", "write two numbers, such as v1.13"]],
  },
  {
    what: "an endpoint over plain HTTP",
    stack: "dev",
    changes: [["cluster/endpoint", "http://10.20.0.10:6443"]],
    problems: [
      [
        "cluster.endpoint",
        "http://10.20.0.10:6443 is not a URL with https",
        "write one such as https://10.20.0.10:6443",
      ],
    ],
  },
  {
    what: "an unknown role",
    stack: "dev",
    changes: [["nodes/den-dev-wk01/role", "master"]],
    problems: [["nodes.den-dev-wk01.role", "master is not one of its values", "use controlplane or worker"]],
  },
  {
    what: "a role with a slip",
    stack: "dev",
    changes: [["nodes/den-dev-wk01/role", "controlpane"]],
    problems: [["nodes.den-dev-wk01.role", "controlpane is not one of its values", "write controlplane"]],
  },
  {
    what: "a device that is none",
    stack: "dev",
    changes: [["nodes/den-dev-wk01/installDisk", "sda"]],
    problems: [["nodes.den-dev-wk01.installDisk", "sda is not a device", "write its path, such as /dev/sda"]],
  },
  {
    what: "neither disk nor selector",
    stack: "prod",
    changes: [["nodes/den-prod-cp01/diskSelector", undefined]],
    problems: [
      [
        "nodes.den-prod-cp01.installDisk",
        "is missing, and so is diskSelector",
        "add either, such as installDisk: /dev/sda",
      ],
    ],
  },
  {
    what: "disk and selector at once",
    stack: "prod",
    changes: [["nodes/den-prod-cp01/installDisk", "/dev/nvme0n1"]],
    problems: [
      [
        "nodes.den-prod-cp01.installDisk",
        "/dev/nvme0n1 stands beside diskSelector, and only one of them can be",
        "remove either",
      ],
    ],
  },
  {
    what: "a selector that selects nothing",
    stack: "prod",
    changes: [["nodes/den-prod-cp01/diskSelector", {}]],
    problems: [["nodes.den-prod-cp01.diskSelector", "selects any disk", "name at least a size or a type"]],
  },
  {
    what: "a VM's number that Proxmox keeps",
    stack: "dev",
    changes: [["nodes/den-dev-wk01/proxmox/vmId", 42]],
    problems: [
      [
        "nodes.den-dev-wk01.proxmox.vmId",
        "42 is below 100, which Proxmox keeps for itself",
        "choose one from 100 to 999999999",
      ],
    ],
  },
  {
    what: "a VM's number that is too large",
    stack: "dev",
    changes: [["nodes/den-dev-wk01/proxmox/vmId", 1000000000]],
    problems: [
      [
        "nodes.den-dev-wk01.proxmox.vmId",
        "1000000000 is above what Proxmox can count to",
        "choose one from 100 to 999999999",
      ],
    ],
  },
  {
    what: "a machine with too little memory",
    stack: "dev",
    changes: [["nodes/den-dev-wk01/proxmox/memory", 1024]],
    problems: [["nodes.den-dev-wk01.proxmox.memory", "1024 is less than Talos needs", "give at least 2048 MiB"]],
  },
  {
    what: "a disk that is too small",
    stack: "dev",
    changes: [["nodes/den-dev-wk01/proxmox/disk", 8]],
    problems: [["nodes.den-dev-wk01.proxmox.disk", "8 is less than Talos needs", "give at least 10 GiB"]],
  },
  {
    what: "an extension without its owner",
    stack: "dev",
    changes: [["images/standard/extensions", ["qemu-guest-agent"]]],
    problems: [
      [
        "images.standard.extensions.0",
        "qemu-guest-agent is not an extension",
        "write one such as siderolabs/qemu-guest-agent",
      ],
    ],
  },
  {
    what: "several kernel arguments in one",
    stack: "dev",
    changes: [["images/standard/kernelArguments", ["quiet loglevel=3"]]],
    problems: [
      [
        "images.standard.kernelArguments.0",
        "quiet loglevel=3 is not one kernel argument",
        "write each as an entry of its own, such as quiet",
      ],
    ],
  },
  {
    what: "no name server",
    stack: "dev",
    changes: [["network/nameservers", []]],
    problems: [["network.nameservers", "is empty", "name at least one"]],
  },
  {
    what: "a taint without an effect",
    stack: "dev",
    changes: [["nodes/den-dev-wk01/taints", { dedicated: "storage" }]],
    problems: [
      [
        "nodes.den-dev-wk01.taints.dedicated",
        "storage is not a taint",
        "write value:Effect, such as storage:NoSchedule",
      ],
    ],
  },
  {
    what: "an unknown encryption",
    stack: "dev",
    changes: [["cluster/diskEncryption", "TPM2"]],
    problems: [["cluster.diskEncryption", "TPM2 is not one of its values", "write tpm"]],
  },
  {
    what: "a VLAN that cannot be",
    stack: "dev",
    changes: [["nodes/den-dev-wk01/vlan", 4095]],
    problems: [["nodes.den-dev-wk01.vlan", "4095 is no VLAN", "give 1 to 4094"]],
  },
  {
    what: "an identifier of Cloudflare with a slip",
    stack: "dev",
    changes: [["cloudflare/zone/id", "0a1b2c3d"]],
    problems: [
      [
        "cloudflare.zone.id",
        "0a1b2c3d is not one of Cloudflare's identifiers",
        "copy the 32 hexadecimal digits from the dashboard's overview page",
      ],
    ],
  },
  {
    what: "a service that the tunnel cannot reach",
    stack: "dev",
    changes: [["cloudflare/ingress/0/service", "welcome.apps"]],
    problems: [
      [
        "cloudflare.ingress.0.service",
        "welcome.apps is not a service",
        "write one such as http://welcome.apps.svc.cluster.local:80 or http_status:404",
      ],
    ],
  },
  {
    what: "a repository by HTTP",
    stack: "dev",
    changes: [["gitops/repository", "http://git.example.com/hearth.git"]],
    problems: [
      [
        "gitops.repository",
        "http://git.example.com/hearth.git is not a URL with ssh or https",
        "write one such as ssh://git@github.com/you/hearth.git",
      ],
    ],
  },
  {
    what: "a repository by SSH without known hosts",
    stack: "dev",
    changes: [["gitops/knownHosts", undefined]],
    problems: [
      [
        "gitops.knownHosts",
        "is missing",
        "add what ssh-keyscan prints for the server, compared with what its owner publishes",
      ],
    ],
  },
  {
    what: "an unknown engine",
    stack: "dev",
    changes: [["gitops/engine", "argo"]],
    problems: [["gitops.engine", "argo is not an engine that Hearth knows", "write flux or argocd"]],
  },
  {
    what: "an unknown way of announcing",
    stack: "dev",
    changes: [["network/announce", { mode: "arp" }]],
    problems: [
      [
        "network.announce.mode",
        "arp is not a way of announcing addresses",
        "write mode: l2, or mode: bgp with asn and peers",
      ],
    ],
  },
  {
    what: "BGP without peers",
    stack: "prod",
    changes: [["network/announce", { mode: "bgp", asn: 64513, peers: [] }]],
    problems: [["network.announce.peers", "is empty", "name at least one"]],
  },
  {
    what: "a reserved autonomous system",
    stack: "prod",
    changes: [
      ["network/announce", { mode: "bgp", asn: 65535, peers: [{ name: "router", address: "10.30.0.1", asn: 64512 }] }],
    ],
    problems: [["network.announce.asn", "65535 is a reserved number", "use a private one, from 64512 to 65534"]],
  },
  {
    what: "an escrow for nobody",
    stack: "prod",
    changes: [["escrow/recipients", []]],
    problems: [["escrow.recipients", "is empty, so that nobody could open it", "name at least one recipient"]],
  },
  {
    what: "an escrow for a slip of the keyboard",
    stack: "prod",
    changes: [["escrow/recipients/0", "age1kgk8mrt0pt63cnt6qjj2up7wlm5ec5ss2su6jaf96l52xzdt9dqsagwzxx"]],
    problems: [["escrow.recipients.0", "is not an age recipient", "write the age1… that age-keygen prints"]],
  },
  {
    what: "an escrow that names a secret identity, which is not shown",
    stack: "prod",
    changes: [["escrow/recipients/0", "AGE-SECRET-KEY-1QQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQ"]],
    problems: [
      [
        "escrow.recipients.0",
        "is a secret identity, not a recipient",
        "write its public half; age-keygen -y prints it",
      ],
    ],
  },
  {
    what: "a KMS key that is none",
    stack: "prod",
    changes: [["escrow/kms", "my-key"]],
    problems: [
      [
        "escrow.kms",
        "my-key is not the name of a KMS key",
        "write an AWS ARN, a Google Cloud resource name, or the URL of a key in Azure Key Vault or HashiCorp Vault",
      ],
    ],
  },
  {
    what: "an escrow file outside of the project",
    stack: "prod",
    changes: [["escrow/path", "../escrow.sops.yaml"]],
    problems: [
      [
        "escrow.path",
        "../escrow.sops.yaml is not a SOPS file of the project",
        "write one such as escrow/dev.sops.yaml",
      ],
    ],
  },
  {
    what: "a token in place of an identifier, which is not shown",
    stack: "dev",
    changes: [["cloudflare/account", "v1.0-abcdefghijklmnopqrstuvwxyz0123456789ABCD"]],
    problems: [
      [
        "cloudflare.account",
        "is not one of Cloudflare's identifiers",
        "copy the 32 hexadecimal digits from the dashboard's overview page",
      ],
    ],
  },
  {
    what: "a password in a URL, which is not shown",
    stack: "dev",
    changes: [["proxmox/endpoint", "http://root:hunter2@10.20.0.5:8006"]],
    problems: [
      [
        "proxmox.endpoint",
        "http://…@10.20.0.5:8006 is not a URL with https",
        "write one such as https://10.20.0.5:8006",
      ],
    ],
  },
  {
    what: "a cluster without an environment in its name",
    stack: "dev",
    changes: [["cluster/name", "homelab"]],
    problems: [
      ["cluster.name", "homelab does not name a site and an environment", "write <site>-<env>, such as den-dev"],
    ],
  },
  {
    what: "a node that is named after nothing",
    stack: "dev",
    changes: [
      [
        "nodes/worker3",
        {
          platform: "proxmox",
          role: "worker",
          image: "standard",
          address: "10.20.0.23",
          mac: "BC:24:11:20:00:23",
          installDisk: "/dev/sda",
          proxmox: { host: "pve1", vmId: 2023, cores: 4, memory: 8192, disk: 80 },
        },
      ],
    ],
    problems: [["nodes.worker3", "is not <site>-<env>-<purpose><serial>", "name it as den-dev-wk03"]],
  },
  {
    what: "a node of another environment's name",
    stack: "dev",
    changes: [
      [
        "nodes/den-prod-wk03",
        {
          platform: "proxmox",
          role: "worker",
          image: "standard",
          address: "10.20.0.23",
          mac: "BC:24:11:20:00:23",
          installDisk: "/dev/sda",
          proxmox: { host: "pve1", vmId: 2023, cores: 4, memory: 8192, disk: 80 },
        },
      ],
    ],
    problems: [["nodes.den-prod-wk03", "is not <site>-<env>-<purpose><serial>", "name it as den-dev-wk03"]],
  },
  {
    what: "a node's name in capitals",
    stack: "dev",
    changes: [
      [
        "nodes/den-dev-WK03",
        {
          platform: "proxmox",
          role: "worker",
          image: "standard",
          address: "10.20.0.23",
          mac: "BC:24:11:20:00:23",
          installDisk: "/dev/sda",
          proxmox: { host: "pve1", vmId: 2023, cores: 4, memory: 8192, disk: 80 },
        },
      ],
    ],
    problems: [
      [
        "nodes.den-dev-WK03",
        "den-dev-WK03 is not a name",
        "use at most 63 lower-case letters, digits and hyphens, such as den-dev-cp01",
      ],
    ],
  },
  {
    what: "a node that was renamed from one that is still there",
    stack: "dev",
    changes: [["nodes/den-dev-wk01/renamedFrom", "den-dev-wk02"]],
    problems: [["nodes.den-dev-wk01.renamedFrom", "den-dev-wk02 is a node that is still there", "leave it out"]],
  },
  {
    what: "a node that has become two",
    stack: "dev",
    changes: [
      ["nodes/den-dev-wk01/renamedFrom", "den-dev-old"],
      ["nodes/den-dev-wk02/renamedFrom", "den-dev-old"],
    ],
    problems: [
      ["nodes.den-dev-wk01.renamedFrom", "den-dev-old has become two nodes", "write it at one of them"],
      ["nodes.den-dev-wk02.renamedFrom", "den-dev-old has become two nodes", "write it at one of them"],
    ],
  },
  {
    what: "two control planes",
    stack: "dev",
    changes: [["nodes/den-dev-wk01/role", "controlplane"]],
    problems: [["nodes", "2 control planes keep no better quorum than 1", "have 1, 3 or 5 with role: controlplane"]],
  },
  {
    what: "no control plane",
    stack: "dev",
    changes: [["nodes/den-dev-cp01/role", "worker"]],
    problems: [["nodes", "has no control plane", "have 1, 3 or 5 with role: controlplane"]],
  },
  {
    what: "no node where pods may run",
    stack: "prod",
    changes: [["cluster/scheduleOnControlPlanes", false]],
    problems: [
      [
        "cluster.scheduleOnControlPlanes",
        "false leaves no node where pods may run",
        "leave it out, or add a node with role: worker",
      ],
    ],
  },
  {
    what: "virtual machines without Proxmox",
    stack: "dev",
    changes: [["proxmox", undefined]],
    problems: [
      [
        "nodes.den-dev-cp01.platform",
        "is proxmox, but hearth:proxmox does not say where its API is",
        "add hearth:proxmox with endpoint, or write platform: metal for bare metal",
      ],
      [
        "nodes.den-dev-wk01.platform",
        "is proxmox, but hearth:proxmox does not say where its API is",
        "add hearth:proxmox with endpoint, or write platform: metal for bare metal",
      ],
      [
        "nodes.den-dev-wk02.platform",
        "is proxmox, but hearth:proxmox does not say where its API is",
        "add hearth:proxmox with endpoint, or write platform: metal for bare metal",
      ],
    ],
  },
  {
    what: "a virtual machine without its platform",
    stack: "dev",
    changes: [["nodes/den-dev-wk01/platform", undefined]],
    problems: [["nodes.den-dev-wk01.platform", "is missing", "add platform: proxmox, for it has the key proxmox"]],
  },
  {
    what: "bare metal without its platform",
    stack: "prod",
    changes: [["nodes/den-prod-cp02/platform", null]],
    problems: [
      ["nodes.den-prod-cp02.platform", "is missing", "add platform: metal, for it has no key such as proxmox"],
    ],
  },
  {
    what: "a platform with a slip",
    stack: "dev",
    changes: [["nodes/den-dev-wk01/platform", "proxmax"]],
    problems: [["nodes.den-dev-wk01.platform", "proxmax is not a platform", "write proxmox"]],
  },
  {
    what: "a virtual machine on bare metal",
    stack: "dev",
    changes: [["nodes/den-dev-wk01/platform", "metal"]],
    problems: [
      [
        "nodes.den-dev-wk01.proxmox",
        "has no effect without platform: proxmox",
        "write platform: proxmox beside it, or remove it",
      ],
    ],
  },
  {
    what: "a virtual machine that says nothing of itself",
    stack: "dev",
    changes: [["nodes/den-dev-wk01/proxmox", undefined]],
    problems: [["nodes.den-dev-wk01.proxmox", "is missing", "add it: The virtual machine, with `platform: proxmox`."]],
  },
  {
    what: "an unknown image profile",
    stack: "dev",
    changes: [["nodes/den-dev-cp01/image", "huge"]],
    problems: [["nodes.den-dev-cp01.image", "huge is not a profile under images", "use standard"]],
  },
  {
    what: "an image profile with a slip",
    stack: "dev",
    changes: [["nodes/den-dev-cp01/image", "standart"]],
    problems: [["nodes.den-dev-cp01.image", "standart is not a profile under images", "write standard"]],
  },
  {
    what: "an extension with a slip",
    stack: "dev",
    changes: [["images/standard/extensions", ["siderolabs/qemu-guest-agnet"]]],
    problems: [
      [
        "images.standard.extensions.0",
        "siderolabs/qemu-guest-agnet is not among the official extensions",
        "write siderolabs/qemu-guest-agent",
      ],
    ],
  },
  {
    what: "an extension twice",
    stack: "dev",
    changes: [["images/standard/extensions", ["siderolabs/qemu-guest-agent", "siderolabs/qemu-guest-agent"]]],
    problems: [["images.standard.extensions.1", "siderolabs/qemu-guest-agent is listed twice", "remove one of them"]],
  },
  {
    what: "a bond of a virtual machine",
    stack: "dev",
    changes: [["nodes/den-dev-wk01/bond", { mode: "active-backup", macs: ["BC:24:11:20:01:21"] }]],
    problems: [
      [
        "nodes.den-dev-wk01.bond",
        "has no effect on a virtual machine, whose links are all the host's",
        "remove its macs, and bond the links of the Proxmox host",
      ],
    ],
  },
  {
    what: "a link that two machines have",
    stack: "prod",
    changes: [["nodes/den-prod-cp02/bond", { mode: "802.3ad", macs: ["7C:83:34:30:00:11"] }]],
    problems: [
      ["nodes.den-prod-cp02.bond.macs.0", "7C:83:34:30:00:11 is also a link of den-prod-cp01", "name each link once"],
    ],
  },
  {
    what: "a key in a TPM that is not there",
    stack: "dev",
    changes: [
      ["cluster/diskEncryption", "tpm"],
      ["nodes/den-dev-cp01/proxmox/tpm", false],
    ],
    problems: [
      [
        "nodes.den-dev-cp01.proxmox.tpm",
        "is false, but the key of its disk is in the TPM",
        "leave it out, or set diskEncryption to nodeID or none",
      ],
    ],
  },
  {
    what: "a label that a worker may not have",
    stack: "dev",
    changes: [["nodes/den-dev-wk01/labels", { "node-role.kubernetes.io/worker": "" }]],
    problems: [
      [
        "nodes.den-dev-wk01.labels.node-role.kubernetes.io/worker",
        "is a label that a worker may not give itself",
        "use a prefix of your own, or label the node with kubectl",
      ],
    ],
  },
  {
    what: "a label with a value that is none",
    stack: "dev",
    changes: [["nodes/den-dev-wk01/labels", { "hearth.dev/rack": "left side" }]],
    problems: [
      [
        "nodes.den-dev-wk01.labels.hearth.dev/rack",
        "left side is not a label's value",
        "use at most 63 letters, digits, hyphens, dots and underscores",
      ],
    ],
  },
  {
    what: "an address used twice",
    stack: "dev",
    changes: [["nodes/den-dev-wk02/address", "10.20.0.21"]],
    problems: [
      [
        "nodes.den-dev-wk02.address",
        "10.20.0.21 is also the address of den-dev-wk01",
        "give one of them another address, such as 10.20.0.2",
      ],
    ],
  },
  {
    what: "a node with the gateway's address",
    stack: "dev",
    changes: [["nodes/den-dev-wk02/address", "10.20.0.1"]],
    problems: [
      [
        "nodes.den-dev-wk02.address",
        "10.20.0.1 is also the gateway",
        "give one of them another address, such as 10.20.0.2",
      ],
    ],
  },
  {
    what: "a node with the VIP",
    stack: "dev",
    changes: [["nodes/den-dev-wk02/address", "10.20.0.10"]],
    problems: [
      [
        "nodes.den-dev-wk02.address",
        "10.20.0.10 is also the VIP",
        "give one of them another address, such as 10.20.0.2",
      ],
    ],
  },
  {
    what: "a node with the Proxmox API's address",
    stack: "dev",
    changes: [["nodes/den-dev-wk02/address", "10.20.0.5"]],
    problems: [
      [
        "nodes.den-dev-wk02.address",
        "10.20.0.5 is also the address of the Proxmox API",
        "give one of them another address, such as 10.20.0.2",
      ],
    ],
  },
  {
    what: "a hardware address used twice, whatever its case",
    stack: "dev",
    changes: [["nodes/den-dev-wk02/mac", "bc:24:11:20:00:21"]],
    problems: [
      [
        "nodes.den-dev-wk02.mac",
        "BC:24:11:20:00:21 is also the hardware address of den-dev-wk01",
        "give one of them another; virtual machines may have any that begins with BC:24:11",
      ],
    ],
  },
  {
    what: "a VM's number used twice",
    stack: "dev",
    changes: [["nodes/den-dev-wk02/proxmox/vmId", 2021]],
    problems: [
      [
        "nodes.den-dev-wk02.proxmox.vmId",
        "2021 is also the number of den-dev-wk01",
        "give one of them another; numbers are unique in the whole Proxmox cluster",
      ],
    ],
  },
  {
    what: "a node outside of the subnet",
    stack: "dev",
    changes: [["nodes/den-dev-wk02/address", "10.21.0.22"]],
    problems: [
      [
        "nodes.den-dev-wk02.address",
        "10.21.0.22 is outside the subnet 10.20.0.0/24",
        "use an address of it, such as 10.20.0.2",
      ],
    ],
  },
  {
    what: "a gateway outside of the subnet",
    stack: "dev",
    changes: [["network/gateway", "10.20.1.1"]],
    problems: [
      ["network.gateway", "10.20.1.1 is outside the subnet 10.20.0.0/24", "use an address of it, such as 10.20.0.1"],
    ],
  },
  {
    what: "a VIP outside of the subnet",
    stack: "dev",
    changes: [
      ["cluster/vip", "10.21.0.10"],
      ["cluster/endpoint", "https://10.20.0.11:6443"],
    ],
    problems: [
      ["cluster.vip", "10.21.0.10 is outside the subnet 10.20.0.0/24", "use an address of it, such as 10.20.0.2"],
    ],
  },
  {
    what: "a node at the broadcast address",
    stack: "dev",
    changes: [["nodes/den-dev-wk02/address", "10.20.0.255"]],
    problems: [
      [
        "nodes.den-dev-wk02.address",
        "10.20.0.255 is the subnet's own or its broadcast address",
        "use an address of it, such as 10.20.0.2",
      ],
      [
        "nodes.den-dev-wk02.address",
        "10.20.0.255 is in the load balancers' pool 10.20.0.192/26",
        "use an address outside of it, such as 10.20.0.2, or make network.loadBalancers smaller",
      ],
    ],
  },
  {
    what: "a node in the load balancers' pool",
    stack: "dev",
    changes: [["nodes/den-dev-wk02/address", "10.20.0.200"]],
    problems: [
      [
        "nodes.den-dev-wk02.address",
        "10.20.0.200 is in the load balancers' pool 10.20.0.192/26",
        "use an address outside of it, such as 10.20.0.2, or make network.loadBalancers smaller",
      ],
    ],
  },
  {
    what: "a pool that holds the VIP and the nodes",
    stack: "dev",
    changes: [["network/loadBalancers", "10.20.0.8/29"]],
    problems: [
      [
        "cluster.vip",
        "10.20.0.10 is in the load balancers' pool 10.20.0.8/29",
        "use an address outside of it, such as 10.20.0.2, or make network.loadBalancers smaller",
      ],
      [
        "nodes.den-dev-cp01.address",
        "10.20.0.11 is in the load balancers' pool 10.20.0.8/29",
        "use an address outside of it, such as 10.20.0.2, or make network.loadBalancers smaller",
      ],
    ],
  },
  {
    what: "a pool outside of the subnet, announced by L2",
    stack: "dev",
    changes: [["network/loadBalancers", "10.21.0.0/26"]],
    problems: [
      [
        "network.loadBalancers",
        "10.21.0.0/26 is outside the subnet 10.20.0.0/24, where nobody asks for it by L2",
        "use a range of the subnet, or announce it by BGP",
      ],
    ],
  },
  {
    what: "a pool inside of the subnet, announced by BGP",
    stack: "prod",
    changes: [["network/loadBalancers", "10.30.0.192/26"]],
    problems: [
      [
        "network.loadBalancers",
        "10.30.0.192/26 overlaps the subnet 10.30.0.0/24, whose hosts would not ask the router for it",
        "use a range outside of the subnet, or announce it by L2",
      ],
    ],
  },
  {
    what: "a pool inside of the pods' range",
    stack: "prod",
    changes: [["network/loadBalancers", "10.244.9.0/24"]],
    problems: [
      [
        "network.loadBalancers",
        "10.244.9.0/24 overlaps cluster.podCidr, 10.244.0.0/16",
        "use a range that is apart from it",
      ],
    ],
  },
  {
    what: "a range with host bits",
    stack: "dev",
    changes: [["network/subnet", "10.20.0.7/24"]],
    problems: [["network.subnet", "10.20.0.7/24 has host bits set", "write 10.20.0.0/24"]],
  },
  {
    what: "pods in the subnet",
    stack: "dev",
    changes: [["cluster/podCidr", "10.20.0.0/16"]],
    problems: [
      [
        "cluster.podCidr",
        "10.20.0.0/16 overlaps network.subnet, 10.20.0.0/24",
        "use ranges that are apart, such as 10.244.0.0/16 for pods and 10.96.0.0/12 for services",
      ],
      [
        "network.loadBalancers",
        "10.20.0.192/26 overlaps cluster.podCidr, 10.20.0.0/16",
        "use a range that is apart from it",
      ],
    ],
  },
  {
    what: "services among the pods",
    stack: "dev",
    changes: [["cluster/serviceCidr", "10.244.128.0/17"]],
    problems: [
      [
        "cluster.serviceCidr",
        "10.244.128.0/17 overlaps cluster.podCidr, 10.244.0.0/16",
        "use ranges that are apart, such as 10.244.0.0/16 for pods and 10.96.0.0/12 for services",
      ],
    ],
  },
  {
    what: "a pods' range for fewer nodes than there are",
    stack: "dev",
    changes: [["cluster/podCidr", "10.244.0.0/23"]],
    problems: [
      [
        "cluster.podCidr",
        "10.244.0.0/23 has room for 2 of 3 nodes, at a /24 each",
        "use a larger range, such as 10.244.0.0/16",
      ],
    ],
  },
  {
    what: "more services than the API server takes",
    stack: "dev",
    changes: [["cluster/serviceCidr", "10.96.0.0/11"]],
    problems: [
      [
        "cluster.serviceCidr",
        "10.96.0.0/11 is larger than the API server takes",
        "use a /12 or smaller, such as 10.96.0.0/12",
      ],
    ],
  },
  {
    what: "an endpoint without a port",
    stack: "dev",
    changes: [["cluster/endpoint", "https://10.20.0.10"]],
    problems: [
      [
        "cluster.endpoint",
        "https://10.20.0.10 does not name the port of the Kubernetes API",
        "use https://10.20.0.10:6443",
      ],
    ],
  },
  {
    what: "a peer that is a node",
    stack: "prod",
    changes: [["network/announce/peers/0/address", "10.30.0.12"]],
    problems: [
      [
        "network.announce.peers.0.address",
        "10.30.0.12 is the address of den-prod-cp02, which is no router",
        "write the address of the router",
      ],
    ],
  },
  {
    what: "a peer twice",
    stack: "prod",
    changes: [["network/announce/peers/1", { name: "router", address: "10.30.0.2", asn: 64512 }]],
    problems: [["network.announce.peers.1.name", "router is also the name of peer 0", "remove one of them"]],
  },
  {
    what: "a Talos that Hearth does not know",
    stack: "dev",
    changes: [
      ["cluster/talos", "v1.10.4"],
      ["cluster/contract", "v1.10"],
    ],
    problems: [
      [
        "cluster.talos",
        "v1.10.4 is not a release that Hearth writes machine configuration for",
        "use a release of Talos v1.12 to v1.13",
      ],
      [
        "cluster.contract",
        "v1.10 is older than the documents that Hearth writes",
        "a cluster for Hearth is created with Talos v1.12 or later",
      ],
    ],
  },
  {
    what: "a Kubernetes that is too old",
    stack: "dev",
    changes: [["cluster/kubernetes", "v1.30.2"]],
    problems: [
      [
        "cluster.kubernetes",
        "Talos v1.13.9 does not support Kubernetes v1.30.2",
        "use Kubernetes v1.31 to v1.36, or Talos v1.12",
      ],
    ],
  },
  {
    what: "a Kubernetes that is too new",
    stack: "dev",
    changes: [["cluster/kubernetes", "v1.37.0"]],
    problems: [
      ["cluster.kubernetes", "Talos v1.13.9 does not support Kubernetes v1.37.0", "use Kubernetes v1.31 to v1.36"],
    ],
  },
  {
    what: "a contract newer than Talos",
    stack: "dev",
    changes: [["cluster/contract", "v1.14"]],
    problems: [
      [
        "cluster.contract",
        "v1.14 is newer than Talos v1.13.9",
        "write the Talos minor that the cluster is created with, at most v1.13",
      ],
    ],
  },
  {
    what: "a contract that is too old",
    stack: "dev",
    changes: [["cluster/contract", "v1.11"]],
    problems: [
      [
        "cluster.contract",
        "v1.11 is older than the documents that Hearth writes",
        "a cluster for Hearth is created with Talos v1.12 or later",
      ],
    ],
  },
  {
    what: "a hostname outside of the zone",
    stack: "dev",
    changes: [["cloudflare/ingress/0/hostname", "welcome.example.org"]],
    problems: [
      [
        "cloudflare.ingress.0.hostname",
        "welcome.example.org is outside the zone example.com, so it would have no record",
        "use a name that ends with .example.com",
      ],
    ],
  },
  {
    what: "a webhook outside of the zone",
    stack: "dev",
    changes: [["cloudflare/webhook", "flux.example.org"]],
    problems: [
      [
        "cloudflare.webhook",
        "flux.example.org is outside the zone example.com, so it would have no record",
        "use a name that ends with .example.com",
      ],
    ],
  },
  {
    what: "a hostname twice",
    stack: "dev",
    changes: [["cloudflare/ingress/1", { hostname: "welcome-dev.example.com", service: "http_status:404" }]],
    problems: [
      [
        "cloudflare.ingress.1",
        "welcome-dev.example.com is never reached, for rule 0 answers for it",
        "remove one of them, or put this one first",
      ],
    ],
  },
  {
    what: "a rule behind a wildcard",
    stack: "dev",
    changes: [
      [
        "cloudflare/ingress",
        [
          { hostname: "*.dev.example.com", service: "http_status:404" },
          { hostname: "a.dev.example.com", service: "http_status:404" },
        ],
      ],
    ],
    problems: [
      [
        "cloudflare.ingress.1",
        "a.dev.example.com is never reached, for rule 0 answers for it",
        "remove one of them, or put this one first",
      ],
    ],
  },
  {
    what: "a record where a tunnel's is",
    stack: "dev",
    changes: [["cloudflare/records", [{ name: "welcome-dev", type: "A", content: "192.0.2.1" }]]],
    problems: [
      [
        "cloudflare.records.0.name",
        "welcome-dev.example.com has a record that leads to a tunnel",
        "remove this record or the ingress rule",
      ],
    ],
  },
  {
    what: "an address beside the zone's own CNAME, which takes other records",
    stack: "dev",
    changes: [
      [
        "cloudflare/records",
        [
          { name: "@", type: "CNAME", content: "example.net" },
          { name: "@", type: "TXT", content: "x" },
          { name: "@", type: "A", content: "192.0.2.1" },
        ],
      ],
    ],
    problems: [
      [
        "cloudflare.records.2.name",
        "example.com has a CNAME, and beside that there can be no other record",
        "use another name for one of them",
      ],
    ],
  },
  {
    what: "a record beside a CNAME",
    stack: "dev",
    changes: [
      [
        "cloudflare/records",
        [
          { name: "docs", type: "CNAME", content: "example.net" },
          { name: "docs", type: "TXT", content: "x" },
        ],
      ],
    ],
    problems: [
      [
        "cloudflare.records.1.name",
        "docs.example.com has a CNAME, and beside that there can be no other record",
        "use another name for one of them",
      ],
    ],
  },
  {
    what: "a record twice",
    stack: "dev",
    changes: [
      [
        "cloudflare/records",
        [
          { name: "@", type: "MX", content: "mail.example.com", priority: 10 },
          { name: "example.com", type: "MX", content: "mail.example.com", priority: 10 },
        ],
      ],
    ],
    problems: [["cloudflare.records.1.name", "example.com has this MX record already", "remove one of them"]],
  },
  {
    what: "an A record without an address",
    stack: "dev",
    changes: [["cloudflare/records", [{ name: "a", type: "A", content: "example.net" }]]],
    problems: [["cloudflare.records.0.content", "example.net is not an IPv4 address", "write one such as 192.0.2.10"]],
  },
  {
    what: "a tunnel with the cluster's name",
    stack: "dev",
    changes: [["cloudflare/tunnels", { "den-dev": { ingress: [] } }]],
    problems: [
      [
        "cloudflare.tunnels.den-dev",
        "is the name of the cluster's own tunnel",
        "move its rules to cloudflare.ingress, or use another name",
      ],
    ],
  },
  {
    what: "a time to live that Cloudflare refuses",
    stack: "dev",
    changes: [["cloudflare/records", [{ name: "a", type: "A", content: "192.0.2.1", ttl: 30 }]]],
    problems: [
      [
        "cloudflare.records.0.ttl",
        "30 is not a time that Cloudflare takes",
        "write 60 to 86400 seconds, or 1 for automatic",
      ],
    ],
  },
  {
    what: "a record of a type that there is none of",
    stack: "dev",
    changes: [["cloudflare/records", [{ name: "a", type: "CNAM", content: "example.net" }]]],
    problems: [["cloudflare.records.0.type", "CNAM is not one of its values", "write CNAME"]],
  },
  {
    what: "a record without its content",
    stack: "dev",
    changes: [["cloudflare/records", [{ name: "a", type: "A" }]]],
    problems: [["cloudflare.records.0.content", "is missing", "add it, such as 192.0.2.10"]],
  },
  {
    what: "packets that are too large",
    stack: "dev",
    changes: [["nodes/den-dev-wk01/mtu", 10000]],
    problems: [["nodes.den-dev-wk01.mtu", "10000 is too big", "give at most 9216"]],
  },
  {
    what: "a startup before the first",
    stack: "dev",
    changes: [["nodes/den-dev-wk01/proxmox/startup", { order: -1 }]],
    problems: [["nodes.den-dev-wk01.proxmox.startup.order", "-1 is too small", "give at least 0"]],
  },
  {
    what: "an empty path in the repository",
    stack: "dev",
    changes: [["gitops/path", ""]],
    problems: [["gitops.path", "is empty", "write the cluster's folder, such as gitops/clusters/dev"]],
  },
  {
    what: "a label with a key that is none",
    stack: "dev",
    changes: [["nodes/den-dev-wk01/labels", { "rack 1": "a" }]],
    problems: [["nodes.den-dev-wk01.labels.rack 1", "is not a label's key", "write one such as hearth.dev/storage"]],
  },
  {
    what: "an exemption from a policy that there is not",
    stack: "dev",
    changes: [["policy", { exemptions: [{ policy: "proxied-record", reason: "It has no other way out" }] }]],
    problems: [["policy.exemptions.0.policy", "proxied-record is not one of its values", "write proxied-records"]],
  },
  {
    what: "an exemption that says nothing",
    stack: "dev",
    changes: [["policy", { exemptions: [{ policy: "proxied-records", reason: "because" }] }]],
    problems: [
      ["policy.exemptions.0.reason", "because says too little", "write a sentence that somebody else understands"],
    ],
  },
  {
    what: "an exemption until no day",
    stack: "dev",
    changes: [
      [
        "policy",
        { exemptions: [{ policy: "proxied-records", reason: "It has no other way out", until: "2027-13-01" }] },
      ],
    ],
    problems: [["policy.exemptions.0.until", "2027-13-01 is not a date", "write one such as 2027-06-30"]],
  },
  {
    what: "a volume smaller than its least size",
    stack: "dev",
    changes: [["nodes/den-dev-wk01/volumes", { data: { disk: "!system_disk", minSize: "100GiB", maxSize: "10GiB" } }]],
    problems: [
      [
        "nodes.den-dev-wk01.volumes.data.minSize",
        "100GiB is more than its maxSize 10GiB",
        "make minSize the smaller one",
      ],
    ],
  },
  {
    what: "an EPHEMERAL smaller than its least size, in other units",
    stack: "dev",
    changes: [["nodes/den-dev-wk01/ephemeral", { minSize: "11GiB", maxSize: "11GB" }]],
    problems: [
      ["nodes.den-dev-wk01.ephemeral.minSize", "11GiB is more than its maxSize 11GB", "make minSize the smaller one"],
    ],
  },
  {
    what: "an EPHEMERAL larger than the machine's disk",
    stack: "dev",
    changes: [
      ["nodes/den-dev-wk01/proxmox/disk", 80],
      ["nodes/den-dev-wk01/ephemeral", { minSize: "500GiB" }],
    ],
    problems: [
      [
        "nodes.den-dev-wk01.ephemeral.minSize",
        "500GiB is more than the machine's disk of 80 GiB",
        "make the disk larger, or minSize smaller",
      ],
    ],
  },
  {
    what: "a volume on the disk that EPHEMERAL fills",
    stack: "dev",
    changes: [["nodes/den-dev-wk01/volumes", { data: { disk: "system_disk", minSize: "10GiB" } }]],
    problems: [
      [
        "nodes.den-dev-wk01.volumes.data.disk",
        "is the disk that EPHEMERAL takes the whole rest of",
        "give ephemeral of the node a maxSize",
      ],
    ],
  },
  {
    what: "a selector of disks that assigns",
    stack: "dev",
    changes: [["nodes/den-dev-wk01/volumes", { data: { disk: 'disk.transport = "nvme"', minSize: "10GiB" } }]],
    problems: [["nodes.den-dev-wk01.volumes.data.disk", "has = where it compares", "write =="]],
  },
  {
    what: "a selector of disks with a signed size",
    stack: "dev",
    changes: [["nodes/den-dev-wk01/volumes", { data: { disk: "disk.size >= 50 * GiB", minSize: "10GiB" } }]],
    problems: [
      ["nodes.den-dev-wk01.volumes.data.disk", "has 50 * GiB, and sizes are numbers without a sign", "write 50u * GiB"],
    ],
  },
  {
    what: "a selector of EPHEMERAL's disk with a unit that is none",
    stack: "dev",
    changes: [["nodes/den-dev-wk01/ephemeral", { disk: "disk.size >= 50u * u.GiB" }]],
    problems: [
      [
        "nodes.den-dev-wk01.ephemeral.disk",
        "has u, which Talos does not know",
        "write a text in quotes, and a size such as 100u * GiB",
      ],
    ],
  },
  {
    what: "kernel arguments in a patch",
    stack: "dev",
    changes: [["cluster/patches", { all: [{ machine: { install: { extraKernelArgs: ["quiet"] } } }] }]],
    problems: [
      [
        "cluster.patches.all.0.machine.install.extraKernelArgs",
        "is refused by Talos: a machine takes its kernel arguments from its image",
        "write them under images, in kernelArguments of the node's profile",
      ],
    ],
  },
  {
    what: "a hostname in a patch",
    stack: "dev",
    changes: [["nodes/den-dev-wk01/patches", [{ machine: { network: { hostname: "wk01" } } }]]],
    problems: [
      [
        "nodes.den-dev-wk01.patches.0.machine.network.hostname",
        "is refused by Talos beside the HostnameConfig that Hearth writes",
        "remove it: a machine has the name that it has under nodes",
      ],
    ],
  },
  {
    what: "links in a patch",
    stack: "dev",
    changes: [["nodes/den-dev-wk01/patches", [{ machine: { network: { interfaces: [{ interface: "eth0" }] } } }]]],
    problems: [
      [
        "nodes.den-dev-wk01.patches.0.machine.network.interfaces",
        "configures links that Hearth's LinkConfig documents configure too",
        "use vlan, bond and mtu of the node, and a LinkConfig for a further link",
      ],
    ],
  },
  {
    what: "name servers in a patch",
    stack: "dev",
    changes: [["cluster/patches", { workers: [{ machine: { network: { nameservers: ["10.20.0.2"] } } }] }]],
    problems: [
      [
        "cluster.patches.workers.0.machine.network.nameservers",
        "is refused by Talos beside the ResolverConfig that Hearth writes",
        "use network.nameservers",
      ],
    ],
  },
  {
    what: "a HostnameConfig in a patch",
    stack: "dev",
    changes: [["nodes/den-dev-wk01/patches", [{ apiVersion: "v1alpha1", kind: "HostnameConfig", hostname: "wk01" }]]],
    problems: [
      [
        "nodes.den-dev-wk01.patches.0",
        "HostnameConfig is a document that Hearth writes, and Talos would merge both",
        "remove it: a machine has the name that it has under nodes",
      ],
    ],
  },
  {
    what: "a registry's password and a WireGuard key in patches that everyone reads, which are not shown",
    stack: "dev",
    changes: [
      [
        "cluster/patches",
        {
          all: [
            { machine: { registries: { config: { "ghcr.io": { auth: { username: "me", password: "hunter2" } } } } } },
          ],
        },
      ],
      [
        "nodes/den-dev-wk01/patches",
        [
          {
            apiVersion: "v1alpha1",
            kind: "WireguardConfig",
            name: "wg0",
            privateKey: "yAnz5TF+lXXJte14tji3zlMNq+hd2rYUIgJBgB3fBmk=",
            peers: [{ publicKey: "xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8Dg=" }],
          },
        ],
      ],
    ],
    problems: [
      [
        "cluster.patches.all.0.machine.registries.config.ghcr.io.auth.password",
        "holds the secret password for everyone to read",
        `replace the secret, and move the patch under all in the secret hearth:machinePatches: ${setSecret("machinePatches")}`,
      ],
      [
        "nodes.den-dev-wk01.patches.0.privateKey",
        "holds the secret privateKey for everyone to read",
        `replace the secret, and move the patch under nodes.den-dev-wk01 in the secret hearth:machinePatches: ${setSecret("machinePatches")}`,
      ],
    ],
  },
  {
    what: "a mirror's password in its URL",
    stack: "dev",
    changes: [["cluster/registryMirrors", { "docker.io": { endpoints: ["https://me:hunter2@mirror.example.com"] } }]],
    problems: [
      [
        "cluster.registryMirrors.docker.io.endpoints.0",
        "holds a URL with a password for everyone to read",
        "replace the secret, and remove it from the file: everyone who reads the repository can read it",
      ],
    ],
  },
];
