import type { BadConfiguration } from "./bad-configurations.ts";

/** What a stack file can say, and a real machine, network or account does not do. */
export const unreal: BadConfiguration[] = [
  {
    what: "an install disk that is any solid-state one",
    stack: "prod",
    changes: [["nodes/den-prod-cp01/diskSelector", { type: "ssd" }]],
    problems: [],
    warnings: [
      [
        "nodes.den-prod-cp01.diskSelector",
        "matches every disk that does not rotate, NVMe too",
        "add what tells it from the others, such as size, model or busPath",
      ],
    ],
  },
  {
    what: "a virtual machine that installs to its second disk",
    stack: "dev",
    changes: [["nodes/den-dev-wk01/installDisk", "/dev/sdb"]],
    problems: [
      [
        "nodes.den-dev-wk01.installDisk",
        "/dev/sdb has no effect on a virtual machine, which boots from /dev/sda",
        "leave it out",
      ],
    ],
  },
  {
    what: "a virtual machine that installs to a disk of another controller",
    stack: "dev",
    changes: [["nodes/den-dev-wk01/installDisk", "/dev/vda"]],
    problems: [
      [
        "nodes.den-dev-wk01.installDisk",
        "/dev/vda has no effect on a virtual machine, which boots from /dev/sda",
        "leave it out",
      ],
    ],
  },
  {
    what: "a virtual machine that selects its disk",
    stack: "dev",
    changes: [
      ["nodes/den-dev-wk01/installDisk", undefined],
      ["nodes/den-dev-wk01/diskSelector", { type: "nvme" }],
    ],
    problems: [
      [
        "nodes.den-dev-wk01.diskSelector",
        "has no effect on a virtual machine, which boots from /dev/sda",
        "leave it out",
      ],
    ],
  },
  {
    what: "SecureBoot in a virtual machine whose keys are in its TPM",
    stack: "dev",
    changes: [
      ["nodes/den-dev-wk01/secureBoot", true],
      ["nodes/den-dev-wk01/diskEncryption", "tpm"],
    ],
    problems: [
      [
        "nodes.den-dev-wk01.secureBoot",
        "is never on, for a virtual machine's firmware has no keys, and without it Talos encrypts no disk by the TPM",
        "set secureBoot of the node to false, or its diskEncryption to nodeID",
      ],
    ],
  },
  {
    what: "SecureBoot in a virtual machine",
    stack: "dev",
    changes: [["nodes/den-dev-wk01/secureBoot", true]],
    problems: [],
    warnings: [
      [
        "nodes.den-dev-wk01.secureBoot",
        "is never on, for a virtual machine's firmware has no keys",
        "set it to false at the node, or enrol Talos's keys from its ISO by hand",
      ],
    ],
  },
  {
    what: "a control plane with the memory of a worker",
    stack: "dev",
    changes: [["nodes/den-dev-cp01/proxmox/memory", 2048]],
    problems: [],
    warnings: [
      [
        "nodes.den-dev-cp01.proxmox.memory",
        "2048 is less than Talos recommends for a control plane",
        "give at least 4096 MiB",
      ],
    ],
  },
  {
    what: "a VLAN in a VLAN",
    stack: "dev",
    changes: [
      ["nodes/den-dev-wk01/vlan", 100],
      ["proxmox/vlan", 20],
    ],
    problems: [],
    warnings: [
      [
        "nodes.den-dev-wk01.vlan",
        "100 is inside VLAN 20, which the bridge puts the machine into",
        "remove it, or proxmox.vlan",
      ],
    ],
  },
  {
    what: "a VLAN in the machine's own VLAN",
    stack: "dev",
    changes: [
      ["nodes/den-dev-wk01/vlan", 100],
      ["nodes/den-dev-wk01/proxmox/vlan", 20],
    ],
    problems: [],
    warnings: [
      [
        "nodes.den-dev-wk01.vlan",
        "100 is inside VLAN 20, which the bridge puts the machine into",
        "remove it, or nodes.den-dev-wk01.proxmox.vlan",
      ],
    ],
  },
  {
    what: "a selector of NVMe disks in a virtual machine",
    stack: "dev",
    changes: [["nodes/den-dev-wk01/volumes", { data: { disk: 'disk.transport == "nvme"', minSize: "10GiB" } }]],
    problems: [
      [
        "nodes.den-dev-wk01.volumes.data.disk",
        "selects none of the machine's disks",
        "the machine's disks have the transport virtio, and the sizes that disk and extraDisks say",
      ],
    ],
  },
  {
    what: "a selector of another disk where there is one only",
    stack: "dev",
    changes: [
      ["nodes/den-dev-wk01/proxmox/extraDisks", []],
      ["nodes/den-dev-wk01/volumes", { data: { disk: "!system_disk", minSize: "10GiB" } }],
    ],
    problems: [
      [
        "nodes.den-dev-wk01.volumes.data.disk",
        "selects none of the machine's disks",
        "add a disk to extraDisks that it selects",
      ],
    ],
  },
  {
    what: "a selector of a disk that is larger than all",
    stack: "dev",
    changes: [["nodes/den-dev-wk01/volumes", { data: { disk: "disk.size > 200u * GiB", minSize: "10GiB" } }]],
    problems: [
      [
        "nodes.den-dev-wk01.volumes.data.disk",
        "selects none of the machine's disks",
        "the machine's disks have the transport virtio, and the sizes that disk and extraDisks say",
      ],
    ],
  },
  {
    what: "a selector that contradicts itself",
    stack: "prod",
    changes: [["nodes/den-prod-cp01/volumes", { data: { disk: "system_disk && !system_disk", minSize: "10GiB" } }]],
    problems: [
      [
        "nodes.den-prod-cp01.volumes.data.disk",
        "selects no disk, whatever disks the machine has",
        "write a condition that a disk can meet",
      ],
    ],
  },
  {
    what: "a volume larger than the only disk that it selects",
    stack: "dev",
    changes: [["nodes/den-dev-wk01/volumes", { data: { disk: "!system_disk", minSize: "200GiB" } }]],
    problems: [
      [
        "nodes.den-dev-wk01.proxmox.extraDisks.0.size",
        "100 GiB is less than the 200 GiB that data need at least",
        "make the disk larger, or minSize of its volumes smaller",
      ],
    ],
  },
  {
    what: "volumes that are larger together than their disk",
    stack: "dev",
    changes: [
      [
        "nodes/den-dev-wk01/volumes",
        { a: { disk: "!system_disk", minSize: "60GiB" }, b: { disk: "disk.size > 90u * GiB", minSize: "60GiB" } },
      ],
    ],
    problems: [
      [
        "nodes.den-dev-wk01.proxmox.extraDisks.0.size",
        "100 GiB is less than the 120 GiB that a, b need at least",
        "make the disk larger, or minSize of its volumes smaller",
      ],
    ],
  },
  {
    what: "EPHEMERAL and a volume that are larger together than the disk",
    stack: "dev",
    changes: [
      ["nodes/den-dev-wk01/ephemeral", { minSize: "50GiB", maxSize: "50GiB" }],
      ["nodes/den-dev-wk01/volumes", { data: { disk: "system_disk", minSize: "40GiB" } }],
    ],
    problems: [
      [
        "nodes.den-dev-wk01.proxmox.disk",
        "80 GiB is less than the 90 GiB that EPHEMERAL, data need at least",
        "make the disk larger, or minSize of its volumes smaller",
      ],
    ],
  },
  {
    what: "EPHEMERAL that leaves too little for a volume",
    stack: "dev",
    changes: [
      ["nodes/den-dev-wk01/ephemeral", { maxSize: "90%" }],
      ["nodes/den-dev-wk01/volumes", { data: { disk: "system_disk", minSize: "20GiB" } }],
    ],
    problems: [
      [
        "nodes.den-dev-wk01.ephemeral.maxSize",
        "90% leaves 8 GiB of 80 GiB, and data need 20 GiB",
        "make it smaller, or the disk larger",
      ],
    ],
  },
  {
    what: "a volume on the disk that EPHEMERAL fills, by its size",
    stack: "dev",
    changes: [
      ["nodes/den-dev-wk01/volumes", { data: { disk: "system_disk && disk.size > 10u * GiB", minSize: "10GiB" } }],
    ],
    problems: [
      [
        "nodes.den-dev-wk01.volumes.data.disk",
        "is the disk that EPHEMERAL takes the whole rest of",
        "give ephemeral of the node a maxSize",
      ],
    ],
  },
  {
    what: "EPHEMERAL that is smaller than its least size",
    stack: "dev",
    changes: [["nodes/den-dev-wk01/ephemeral", { maxSize: "1GiB" }]],
    problems: [
      [
        "nodes.den-dev-wk01.ephemeral.maxSize",
        "1GiB is less than the 2GiB that Talos needs for /var",
        "write a larger one; images, logs and etcd need 10GiB and more",
      ],
    ],
  },
  {
    what: "a volume that is smaller than its filesystem",
    stack: "dev",
    changes: [["nodes/den-dev-wk01/volumes", { data: { disk: "!system_disk", minSize: "200MiB" } }]],
    problems: [
      [
        "nodes.den-dev-wk01.volumes.data.minSize",
        "200MiB is less than an xfs filesystem needs",
        "write at least 300MiB",
      ],
    ],
  },
  {
    what: "a selector that compares a size with a signed number",
    stack: "dev",
    changes: [["nodes/den-dev-wk01/volumes", { data: { disk: "disk.size > 100", minSize: "10GiB" } }]],
    problems: [
      [
        "nodes.den-dev-wk01.volumes.data.disk",
        "has disk.size > 100, and sizes are numbers without a sign",
        "write disk.size > 100u",
      ],
    ],
  },
  {
    what: "a selector of a field that there is none of",
    stack: "dev",
    changes: [["nodes/den-dev-wk01/volumes", { data: { disk: 'disk.transprot == "nvme"', minSize: "10GiB" } }]],
    problems: [["nodes.den-dev-wk01.volumes.data.disk", "has disk.transprot, which is no field", "write transport"]],
  },
  {
    what: "a selector with a unit in another case",
    stack: "dev",
    changes: [["nodes/den-dev-wk01/volumes", { data: { disk: "disk.size > 100u * Gib", minSize: "10GiB" } }]],
    problems: [["nodes.den-dev-wk01.volumes.data.disk", "has Gib, which Talos does not know", "write GiB"]],
  },
  {
    what: "a selector with a number right before its unit",
    stack: "dev",
    changes: [["nodes/den-dev-wk01/volumes", { data: { disk: "disk.size > 100GiB", minSize: "10GiB" } }]],
    problems: [["nodes.den-dev-wk01.volumes.data.disk", "has GiB right behind 100", "write 100u * GiB"]],
  },
  {
    what: "a selector with a text without quotes",
    stack: "dev",
    changes: [["nodes/den-dev-wk01/volumes", { data: { disk: "disk.transport == nvme", minSize: "10GiB" } }]],
    problems: [
      [
        "nodes.den-dev-wk01.volumes.data.disk",
        "has nvme, which Talos does not know",
        "write a text in quotes, and a size such as 100u * GiB",
      ],
    ],
  },
  {
    what: "a selector with a text in place of a size",
    stack: "dev",
    changes: [["nodes/den-dev-wk01/volumes", { data: { disk: 'disk.size >= "50GiB"', minSize: "10GiB" } }]],
    problems: [
      [
        "nodes.den-dev-wk01.volumes.data.disk",
        'has disk.size >= "50GiB", where a number without a sign meets a text',
        "make both of them a number without a sign, such as 100u",
      ],
    ],
  },
  {
    what: "a selector with a fraction of a size",
    stack: "dev",
    changes: [["nodes/den-dev-wk01/volumes", { data: { disk: "disk.size > 1.5 * GB", minSize: "10GiB" } }]],
    problems: [
      [
        "nodes.den-dev-wk01.volumes.data.disk",
        "has 1.5 * GB, where a fraction meets a number without a sign",
        "make both of them a number without a sign, such as 100u",
      ],
    ],
  },
  {
    what: "a selector with words in place of operators",
    stack: "dev",
    changes: [
      ["nodes/den-dev-wk01/volumes", { data: { disk: 'disk.transport == "sata" and !system_disk', minSize: "10GiB" } }],
    ],
    problems: [["nodes.den-dev-wk01.volumes.data.disk", "has and between two conditions", "write &&"]],
  },
  {
    what: "a selector with one ampersand",
    stack: "dev",
    changes: [["nodes/den-dev-wk01/volumes", { data: { disk: "disk.rotational & !system_disk", minSize: "10GiB" } }]],
    problems: [["nodes.den-dev-wk01.volumes.data.disk", "has one &", "write &&"]],
  },
  {
    what: "a selector that compares nothing",
    stack: "dev",
    changes: [["nodes/den-dev-wk01/volumes", { data: { disk: "disk.model", minSize: "10GiB" } }]],
    problems: [
      ["nodes.den-dev-wk01.volumes.data.disk", "compares nothing", "write a comparison, such as disk.size > 100u * GB"],
    ],
  },
  {
    what: "a selector that compares a truth with a text",
    stack: "dev",
    changes: [["nodes/den-dev-wk01/volumes", { data: { disk: 'disk.rotational == "false"', minSize: "10GiB" } }]],
    problems: [
      [
        "nodes.den-dev-wk01.volumes.data.disk",
        'has disk.rotational == "false", where true or false meets a text',
        "make both of them true or false",
      ],
    ],
  },
  {
    what: "a selector with a function that Talos has none of",
    stack: "dev",
    changes: [
      ["nodes/den-dev-wk01/volumes", { data: { disk: 'disk.model.lowerAscii() == "qemu"', minSize: "10GiB" } }],
    ],
    problems: [
      [
        "nodes.den-dev-wk01.volumes.data.disk",
        "has .lowerAscii(), which Talos does not know",
        "use glob(PATTERN, TEXT), or TEXT.contains, TEXT.startsWith, TEXT.endsWith or TEXT.matches",
      ],
    ],
  },
  {
    what: "a selector with a parenthesis too few",
    stack: "dev",
    changes: [["nodes/den-dev-wk01/volumes", { data: { disk: "(disk.rotational || system_disk", minSize: "10GiB" } }]],
    problems: [["nodes.den-dev-wk01.volumes.data.disk", "ends too early", "add )"]],
  },
  {
    what: "a selector of a swap volume in a patch that does not compile",
    stack: "dev",
    changes: [
      [
        "nodes/den-dev-wk01/patches",
        [
          {
            apiVersion: "v1alpha1",
            kind: "SwapVolumeConfig",
            name: "swap",
            provisioning: { diskSelector: { match: "disk.size > 4GiB" }, minSize: "2GiB" },
          },
        ],
      ],
    ],
    problems: [
      ["nodes.den-dev-wk01.patches.0.provisioning.diskSelector.match", "has GiB right behind 4", "write 4u * GiB"],
    ],
  },
  {
    what: "an install disk of exactly one size",
    stack: "prod",
    changes: [["nodes/den-prod-cp01/diskSelector", { type: "nvme", size: "1TB" }]],
    problems: [],
    warnings: [
      [
        "nodes.den-prod-cp01.diskSelector.size",
        "1TB matches disks of exactly that size, which few disks have",
        'write ">= 1TB"',
      ],
    ],
  },
  {
    what: "an install disk of any model",
    stack: "prod",
    changes: [["nodes/den-prod-cp01/diskSelector", { model: "*" }]],
    problems: [
      [
        "nodes.den-prod-cp01.diskSelector.model",
        "matches every disk",
        "remove it, or write what tells the disk from the others",
      ],
    ],
  },
  {
    what: "an install disk of any solid-state kind, by a pattern that matches all",
    stack: "prod",
    changes: [["nodes/den-prod-cp01/diskSelector", { type: "ssd", serial: "*" }]],
    problems: [
      [
        "nodes.den-prod-cp01.diskSelector.serial",
        "matches every disk",
        "remove it, or write what tells the disk from the others",
      ],
    ],
    warnings: [
      [
        "nodes.den-prod-cp01.diskSelector",
        "matches every disk that does not rotate, NVMe too",
        "add what tells it from the others, such as size, model or busPath",
      ],
    ],
  },
  {
    what: "a record of a tunnel's name in other letters",
    stack: "dev",
    changes: [["cloudflare/records", [{ name: "Welcome-Dev", type: "A", content: "192.0.2.1" }]]],
    problems: [
      [
        "cloudflare.records.0.name",
        "welcome-dev.example.com has a record that leads to a tunnel",
        "remove this record or the ingress rule",
      ],
    ],
  },
  {
    what: "a record of a tunnel's name with a final dot",
    stack: "dev",
    changes: [["cloudflare/records", [{ name: "welcome-dev.example.com.", type: "CNAME", content: "example.net" }]]],
    problems: [
      [
        "cloudflare.records.0.name",
        "welcome-dev.example.com has a record that leads to a tunnel",
        "remove this record or the ingress rule",
      ],
    ],
  },
  {
    what: "a record twice, in other letters",
    stack: "dev",
    changes: [
      [
        "cloudflare/records",
        [
          { name: "www", type: "A", content: "192.0.2.1" },
          { name: "WWW.Example.com.", type: "A", content: "192.0.2.1" },
        ],
      ],
    ],
    problems: [["cloudflare.records.1.name", "www.example.com has this A record already", "remove one of them"]],
  },
  {
    what: "a mail server twice, with a final dot",
    stack: "dev",
    changes: [
      [
        "cloudflare/records",
        [
          { name: "@", type: "MX", content: "mail.example.net", priority: 10 },
          { name: "@", type: "MX", content: "Mail.example.net.", priority: 10 },
        ],
      ],
    ],
    problems: [["cloudflare.records.1.name", "example.com has this MX record already", "remove one of them"]],
  },
  {
    what: "a text twice, once in quotes",
    stack: "dev",
    changes: [
      [
        "cloudflare/records",
        [
          { name: "@", type: "TXT", content: "v=spf1 -all" },
          { name: "@", type: "TXT", content: '"v=spf1 -all"' },
        ],
      ],
    ],
    problems: [["cloudflare.records.1.name", "example.com has this TXT record already", "remove one of them"]],
  },
  {
    what: "a text with one quote",
    stack: "dev",
    changes: [["cloudflare/records", [{ name: "@", type: "TXT", content: '"v=spf1 -all' }]]],
    problems: [
      [
        "cloudflare.records.0.content",
        '"v=spf1 -all has a quote without its other one',
        "write the text without quotes",
      ],
    ],
  },
  {
    what: "a record of a name with umlauts",
    stack: "dev",
    changes: [["cloudflare/records", [{ name: "käse", type: "A", content: "192.0.2.1" }]]],
    problems: [["cloudflare.records.0.name", "käse has letters that DNS stores as Punycode", "write its xn--… form"]],
  },
  {
    what: "a record of a name with a space",
    stack: "dev",
    changes: [["cloudflare/records", [{ name: "my host", type: "A", content: "192.0.2.1" }]]],
    problems: [
      [
        "cloudflare.records.0.name",
        "my host is not the name of a record",
        "write one such as www, www.example.com, @ or *",
      ],
    ],
  },
  {
    what: "a record of a URL",
    stack: "dev",
    changes: [["cloudflare/records", [{ name: "https://www", type: "A", content: "192.0.2.1" }]]],
    problems: [
      [
        "cloudflare.records.0.name",
        "https://www is not the name of a record",
        "write one such as www, www.example.com, @ or *",
      ],
    ],
  },
  {
    what: "a CNAME to an address",
    stack: "dev",
    changes: [["cloudflare/records", [{ name: "www", type: "CNAME", content: "192.0.2.1" }]]],
    problems: [
      [
        "cloudflare.records.0.content",
        "192.0.2.1 is an address, and a record of type CNAME names a host",
        "write the host's name, or type: A",
      ],
    ],
  },
  {
    what: "a mail server with its protocol",
    stack: "dev",
    changes: [["cloudflare/records", [{ name: "@", type: "MX", content: "smtp://mail.example.net", priority: 10 }]]],
    problems: [
      [
        "cloudflare.records.0.content",
        "smtp://mail.example.net is not a host name",
        "write one such as host.example.com",
      ],
    ],
  },
  {
    what: "a CNAME to itself",
    stack: "dev",
    changes: [["cloudflare/records", [{ name: "www", type: "CNAME", content: "WWW.example.com." }]]],
    problems: [
      ["cloudflare.records.0.content", "www.example.com is the record's own name", "write the name of another host"],
    ],
  },
  {
    what: "a proxied record of a private address",
    stack: "dev",
    changes: [["cloudflare/records", [{ name: "nas", type: "A", content: "10.20.0.9", proxied: true }]]],
    problems: [
      [
        "cloudflare.records.0.proxied",
        "10.20.0.9 is a private address, which Cloudflare cannot reach",
        "remove proxied, or use a rule of a tunnel under ingress",
      ],
    ],
  },
  {
    what: "a hostname that no certificate covers",
    stack: "dev",
    changes: [["cloudflare/ingress/0/hostname", "welcome.dev.example.com"]],
    problems: [],
    warnings: [
      [
        "cloudflare.ingress.0.hostname",
        "welcome.dev.example.com is more than one level below example.com, and Cloudflare's own certificate covers one",
        "use welcome-dev.example.com, or order a certificate for *.dev.example.com and name it in cloudflare.zone.certificates",
      ],
    ],
  },
  {
    what: "a wildcard that no certificate covers",
    stack: "dev",
    changes: [["cloudflare/ingress/0/hostname", "*.dev.example.com"]],
    problems: [],
    warnings: [
      [
        "cloudflare.ingress.0.hostname",
        "*.dev.example.com is more than one level below example.com, and Cloudflare's own certificate covers one",
        "order a certificate for *.dev.example.com and name it in cloudflare.zone.certificates",
      ],
    ],
  },
  {
    what: "a webhook that no certificate covers",
    stack: "dev",
    changes: [["cloudflare/webhook", "flux.dev.example.com"]],
    problems: [],
    warnings: [
      [
        "cloudflare.webhook",
        "flux.dev.example.com is more than one level below example.com, and Cloudflare's own certificate covers one",
        "use flux-dev.example.com, or order a certificate for *.dev.example.com and name it in cloudflare.zone.certificates",
      ],
    ],
  },
  {
    what: "a tunnel's hostname that no certificate covers",
    stack: "dev",
    changes: [
      [
        "cloudflare/tunnels",
        { nas: { ingress: [{ hostname: "files.nas.example.com", service: "http://localhost:80" }] } },
      ],
    ],
    problems: [],
    warnings: [
      [
        "cloudflare.tunnels.nas.ingress.0.hostname",
        "files.nas.example.com is more than one level below example.com, and Cloudflare's own certificate covers one",
        "use files-nas.example.com, or order a certificate for *.nas.example.com and name it in cloudflare.zone.certificates",
      ],
    ],
  },
  {
    what: "a proxied record that no certificate covers",
    stack: "dev",
    changes: [["cloudflare/records", [{ name: "a.b.c", type: "A", content: "192.0.2.1", proxied: true }]]],
    problems: [],
    warnings: [
      [
        "cloudflare.records.0.name",
        "a.b.c.example.com is more than one level below example.com, and Cloudflare's own certificate covers one",
        "use a-b-c.example.com, or order a certificate for *.b.c.example.com and name it in cloudflare.zone.certificates",
      ],
    ],
  },
  {
    what: "a certificate of one level for a name two levels below it",
    stack: "dev",
    changes: [
      ["cloudflare/zone/certificates", ["*.dev.example.com"]],
      ["cloudflare/ingress/0/hostname", "a.b.dev.example.com"],
    ],
    problems: [],
    warnings: [
      [
        "cloudflare.ingress.0.hostname",
        "a.b.dev.example.com is more than one level below example.com, and Cloudflare's own certificate covers one",
        "use a-b-dev.example.com, or order a certificate for *.b.dev.example.com and name it in cloudflare.zone.certificates",
      ],
    ],
  },
  {
    what: "a certificate of another zone",
    stack: "dev",
    changes: [["cloudflare/zone/certificates", ["*.dev.example.org"]]],
    problems: [
      [
        "cloudflare.zone.certificates.0",
        "*.dev.example.org is outside the zone example.com",
        "write one such as *.dev.example.com",
      ],
    ],
  },
  {
    what: "a tag in capitals",
    stack: "dev",
    changes: [["proxmox/tags", ["Prod"]]],
    problems: [
      [
        "proxmox.tags.0",
        "Prod is not a tag as Proxmox keeps it",
        "use lower-case letters, digits and _ . + - only, such as k8s-prod",
      ],
    ],
  },
  {
    what: "a tag with a space",
    stack: "dev",
    changes: [["proxmox/tags", ["k8s cluster"]]],
    problems: [
      [
        "proxmox.tags.0",
        "k8s cluster is not a tag as Proxmox keeps it",
        "use lower-case letters, digits and _ . + - only, such as k8s-prod",
      ],
    ],
  },
  {
    what: "a tag with a colon",
    stack: "dev",
    changes: [["nodes/den-dev-wk01/proxmox/tags", ["env:dev"]]],
    problems: [
      [
        "nodes.den-dev-wk01.proxmox.tags.0",
        "env:dev is not a tag as Proxmox keeps it",
        "use lower-case letters, digits and _ . + - only, such as k8s-prod",
      ],
    ],
  },
  {
    what: "a pool without room for the gateways",
    stack: "dev",
    changes: [["network/loadBalancers", "10.20.0.192/30"]],
    problems: [
      [
        "network.loadBalancers",
        "10.20.0.192/30 has no room for the addresses of DNS and of both gateways",
        "use a /29 or larger",
      ],
    ],
  },
  {
    what: "pods among link-local addresses",
    stack: "dev",
    changes: [["cluster/podCidr", "169.254.0.0/16"]],
    problems: [
      [
        "cluster.podCidr",
        "169.254.0.0/16 overlaps 169.254.0.0/16, which is for link-local addresses, which Talos and Cilium use",
        "use a private range, such as one of 10.0.0.0/8",
      ],
    ],
  },
  {
    what: "services among multicast addresses",
    stack: "dev",
    changes: [["cluster/serviceCidr", "224.0.0.0/12"]],
    problems: [
      [
        "cluster.serviceCidr",
        "224.0.0.0/12 overlaps 224.0.0.0/4, which is for multicast",
        "use a private range, such as one of 10.0.0.0/8",
      ],
    ],
  },
  {
    what: "pods in a public range",
    stack: "dev",
    changes: [["cluster/podCidr", "11.0.0.0/16"]],
    problems: [],
    warnings: [
      [
        "cluster.podCidr",
        "11.0.0.0/16 is a public range, whose hosts the cluster could not reach",
        "use a private range, such as 10.244.0.0/16 for pods and 10.96.0.0/12 for services",
      ],
    ],
  },
  {
    what: "a DNS server among the pods",
    stack: "dev",
    changes: [["network/nameservers", ["10.244.0.10"]]],
    problems: [
      [
        "network.nameservers.0",
        "10.244.0.10 is in cluster.podCidr, 10.244.0.0/16, which the cluster routes to itself",
        "use an address outside of the cluster's ranges",
      ],
    ],
  },
  {
    what: "a DNS server that is the cluster's own service",
    stack: "dev",
    changes: [["network/nameservers", ["10.96.0.10"]]],
    problems: [
      [
        "network.nameservers.0",
        "10.96.0.10 is in cluster.serviceCidr, 10.96.0.0/12, which the cluster routes to itself",
        "use an address outside of the cluster's ranges",
      ],
    ],
  },
  {
    what: "a DNS server that is one of the load balancers",
    stack: "dev",
    changes: [["network/nameservers", ["10.20.0.193"]]],
    problems: [],
    warnings: [
      [
        "network.nameservers.0",
        "10.20.0.193 is in the load balancers' pool 10.20.0.192/26, which nothing answers on before the cluster runs",
        "use a server outside of the cluster",
      ],
    ],
  },
  {
    what: "a DNS server that is a node",
    stack: "dev",
    changes: [["network/nameservers", ["10.20.0.11"]]],
    problems: [
      [
        "network.nameservers.0",
        "10.20.0.11 is the address of den-dev-cp01, where no DNS server listens",
        "write the address of a DNS server, such as the router's",
      ],
    ],
  },
  {
    what: "a second DNS server that is a node",
    stack: "dev",
    changes: [["network/nameservers", ["10.20.0.1", "10.20.0.11"]]],
    problems: [],
    warnings: [
      [
        "network.nameservers.1",
        "10.20.0.11 is the address of den-dev-cp01, where Hearth starts no DNS server",
        "leave it if you run one there; machines ask each server in turn",
      ],
    ],
  },
  {
    what: "a time server among the services",
    stack: "dev",
    changes: [["network/timeServers", ["10.96.0.53"]]],
    problems: [
      [
        "network.timeServers.0",
        "10.96.0.53 is in cluster.serviceCidr, 10.96.0.0/12, which the cluster routes to itself",
        "use an address outside of the cluster's ranges",
      ],
    ],
  },
  {
    what: "a mirror among the services",
    stack: "dev",
    changes: [["cluster/registryMirrors", { "docker.io": { endpoints: ["http://10.96.10.1:5000"] } }]],
    problems: [
      [
        "cluster.registryMirrors.docker.io.endpoints.0",
        "10.96.10.1 is in cluster.serviceCidr, 10.96.0.0/12, which the cluster routes to itself",
        "use an address outside of the cluster's ranges",
      ],
    ],
  },
  {
    what: "a mirror that is one of the load balancers",
    stack: "dev",
    changes: [["cluster/registryMirrors", { "docker.io": { endpoints: ["http://10.20.0.200:5000"] } }]],
    problems: [],
    warnings: [
      [
        "cluster.registryMirrors.docker.io.endpoints.0",
        "10.20.0.200 is in the load balancers' pool 10.20.0.192/26, which nothing answers on before the cluster runs",
        "use a server outside of the cluster",
      ],
    ],
  },
  {
    what: "a router among the pods",
    stack: "prod",
    changes: [["network/announce/peers/0/address", "10.244.0.1"]],
    problems: [
      [
        "network.announce.peers.0.address",
        "10.244.0.1 is in cluster.podCidr, 10.244.0.0/16, which the cluster routes to itself",
        "use an address outside of the cluster's ranges",
      ],
    ],
  },
  {
    what: "a DHCP server's range that is none",
    stack: "dev",
    changes: [["network/dhcpRange", "10.20.0.0/25"]],
    problems: [
      [
        "network.dhcpRange",
        "10.20.0.0/25 is not a range of addresses",
        "write the first and the last, such as 10.20.0.100-10.20.0.180",
      ],
    ],
  },
  {
    what: "a DHCP server's range that ends before it begins",
    stack: "dev",
    changes: [["network/dhcpRange", "10.20.0.180-10.20.0.100"]],
    problems: [["network.dhcpRange", "10.20.0.180-10.20.0.100 ends before it begins", "write the lower address first"]],
  },
  {
    what: "a DHCP server of another subnet",
    stack: "dev",
    changes: [["network/dhcpRange", "10.21.0.100-10.21.0.180"]],
    problems: [
      [
        "network.dhcpRange",
        "10.21.0.100-10.21.0.180 is outside the subnet 10.20.0.0/24",
        "write the range of this subnet",
      ],
    ],
  },
  {
    what: "a node among what the DHCP server gives out",
    stack: "dev",
    changes: [["network/dhcpRange", "10.20.0.15-10.20.0.21"]],
    problems: [
      [
        "nodes.den-dev-wk01.address",
        "10.20.0.21 is in network.dhcpRange, 10.20.0.15-10.20.0.21, which the DHCP server gives to others",
        "use one outside of it, or make the server's range smaller",
      ],
    ],
  },
  {
    what: "a VIP among what the DHCP server gives out",
    stack: "dev",
    changes: [["network/dhcpRange", "10.20.0.10-10.20.0.10"]],
    problems: [
      [
        "cluster.vip",
        "10.20.0.10 is in network.dhcpRange, 10.20.0.10-10.20.0.10, which the DHCP server gives to others",
        "use one outside of it, or make the server's range smaller",
      ],
    ],
  },
  {
    what: "a pool among what the DHCP server gives out",
    stack: "dev",
    changes: [["network/dhcpRange", "10.20.0.100-10.20.0.199"]],
    problems: [
      [
        "network.loadBalancers",
        "10.20.0.192/26 overlaps network.dhcpRange, 10.20.0.100-10.20.0.199, which the DHCP server gives to others",
        "use one outside of it, or make the server's range smaller",
      ],
    ],
  },
  {
    what: "a repository whose server known_hosts says nothing of",
    stack: "dev",
    changes: [["gitops/repository", "ssh://git@gitlab.com/you/hearth.git"]],
    problems: [
      [
        "gitops.knownHosts",
        "is about github.com, and nothing of gitlab.com, where the repository is",
        "add what ssh-keyscan gitlab.com prints, compared with what its owner publishes",
      ],
    ],
  },
  {
    what: "a repository at a port that known_hosts says nothing of",
    stack: "dev",
    changes: [["gitops/repository", "ssh://git@github.com:2222/you/hearth.git"]],
    problems: [
      [
        "gitops.knownHosts",
        "is about github.com, and nothing of [github.com]:2222, where the repository is",
        "add what ssh-keyscan -p 2222 github.com prints, compared with what its owner publishes",
      ],
    ],
  },
  {
    what: "known_hosts of another server, hashed",
    stack: "dev",
    changes: [
      [
        "gitops/knownHosts",
        "|1|F1E1KeoE/eEWhi10WpGv4OdiO6Y=|3988QV0VE8wmZL7suNrYQLITLCg= ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl",
      ],
    ],
    problems: [
      [
        "gitops.knownHosts",
        "says nothing of github.com, where the repository is",
        "add what ssh-keyscan github.com prints, compared with what its owner publishes",
      ],
    ],
  },
  {
    what: "known_hosts that exclude the server",
    stack: "dev",
    changes: [
      [
        "gitops/knownHosts",
        "*.com,!github.com ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl",
      ],
    ],
    problems: [
      [
        "gitops.knownHosts",
        "is about *.com,!github.com, and nothing of github.com, where the repository is",
        "add what ssh-keyscan github.com prints, compared with what its owner publishes",
      ],
    ],
  },
  {
    what: "known_hosts with a key that is cut off",
    stack: "dev",
    changes: [["gitops/knownHosts", "github.com ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoq"]],
    problems: [
      ["gitops.knownHosts", "has no whole key in line 1", "write HOST TYPE KEY as ssh-keyscan prints it, in one line"],
    ],
  },
  {
    what: "known_hosts with a key of another type",
    stack: "dev",
    changes: [
      ["gitops/knownHosts", "github.com ssh-rsa AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl"],
    ],
    problems: [
      ["gitops.knownHosts", "has no whole key in line 1", "write HOST TYPE KEY as ssh-keyscan prints it, in one line"],
    ],
  },
  {
    what: "known_hosts without the server's name",
    stack: "dev",
    changes: [
      ["gitops/knownHosts", "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl"],
    ],
    problems: [
      ["gitops.knownHosts", "has no whole key in line 1", "write HOST TYPE KEY as ssh-keyscan prints it, in one line"],
    ],
  },
  {
    what: "known_hosts of a repository over HTTPS",
    stack: "dev",
    changes: [["gitops/repository", "https://github.com/you/hearth.git"]],
    problems: [],
    warnings: [
      [
        "gitops.knownHosts",
        "has no effect on a repository that is read over HTTPS",
        "remove it, or write an ssh:// URL as repository",
      ],
    ],
  },
  {
    what: "a repository over SSH without its user",
    stack: "dev",
    changes: [["gitops/repository", "ssh://github.com/you/hearth.git"]],
    problems: [],
    warnings: [
      [
        "gitops.repository",
        "ssh://github.com/you/hearth.git names no user, and Git servers know one only",
        "write ssh://git@github.com/you/hearth.git",
      ],
    ],
  },
  {
    what: "a folder outside of the repository",
    stack: "dev",
    changes: [["gitops/path", "../hearth/gitops/clusters/dev"]],
    problems: [
      [
        "gitops.path",
        "../hearth/gitops/clusters/dev is not below the root of the repository",
        "write it from the root on and without .., such as gitops/clusters/dev",
      ],
    ],
  },
  {
    what: "a branch that Git does not take",
    stack: "dev",
    changes: [["gitops/branch", "my branch"]],
    problems: [
      ["gitops.branch", "my branch is not the name of a branch", "write it as git branch shows it, such as main"],
    ],
  },
  {
    what: "a branch by its reference",
    stack: "dev",
    changes: [["gitops/branch", "refs/heads/main"]],
    problems: [
      ["gitops.branch", "refs/heads/main is not the name of a branch", "write it as git branch shows it, such as main"],
    ],
  },
  {
    what: "an extension that waits for its configuration",
    stack: "dev",
    changes: [["images/standard/extensions", ["siderolabs/qemu-guest-agent", "siderolabs/tailscale"]]],
    problems: [],
    warnings: [
      [
        "images.standard.extensions.1",
        "siderolabs/tailscale waits for its configuration, and there is none",
        "add services: { tailscale: … } to the profile, or a patch of kind ExtensionServiceConfig with name: tailscale",
      ],
    ],
  },
  {
    what: "a UPS client that waits for its configuration",
    stack: "dev",
    changes: [
      ["images/standard/extensions", ["siderolabs/qemu-guest-agent", "siderolabs/nut-client"]],
      ["cluster/patches", { all: [{ apiVersion: "v1alpha1", kind: "ExtensionServiceConfig", name: "nut" }] }],
    ],
    problems: [],
    warnings: [
      [
        "images.standard.extensions.1",
        "siderolabs/nut-client waits for its configuration, and there is none",
        "add services: { nut-client: … } to the profile, or a patch of kind ExtensionServiceConfig with name: nut-client",
      ],
    ],
  },
  {
    what: "a configuration of a service that no image has",
    stack: "dev",
    changes: [
      ["cluster/patches", { all: [{ apiVersion: "v1alpha1", kind: "ExtensionServiceConfig", name: "tailscale" }] }],
    ],
    problems: [],
    warnings: [
      [
        "cluster.patches.all.0.name",
        "tailscale is a service that no image has",
        "add siderolabs/tailscale to the extensions of the node's image profile",
      ],
    ],
  },
  {
    what: "a kernel module without its extension",
    stack: "dev",
    changes: [["images/standard/kernelModules", [{ name: "drbd" }]]],
    problems: [
      [
        "images.standard.kernelModules.0.name",
        "drbd is a module that the image does not have",
        "add siderolabs/drbd to the profile's extensions",
      ],
    ],
  },
  {
    what: "a graphics card's module without any of its extensions",
    stack: "dev",
    changes: [["images/standard/kernelModules", [{ name: "nvidia-uvm" }]]],
    problems: [
      [
        "images.standard.kernelModules.0.name",
        "nvidia-uvm is a module that the image does not have",
        "add siderolabs/nvidia-open-gpu-kernel-modules-lts or siderolabs/nvidia-open-gpu-kernel-modules-production or siderolabs/nonfree-kmod-nvidia-lts or siderolabs/nonfree-kmod-nvidia-production to the profile's extensions",
      ],
    ],
  },
  {
    what: "an extension whose module nothing loads",
    stack: "dev",
    changes: [["images/standard/extensions", ["siderolabs/qemu-guest-agent", "siderolabs/zfs"]]],
    problems: [],
    warnings: [
      [
        "images.standard.extensions.1",
        "siderolabs/zfs brings the kernel module zfs, which is not loaded",
        "add kernelModules: [{ name: zfs }] to the profile",
      ],
    ],
  },
  {
    what: "a kernel module twice",
    stack: "dev",
    changes: [["images/standard/kernelModules", [{ name: "dm-thin-pool" }, { name: "dm_thin_pool" }]]],
    problems: [
      [
        "images.standard.kernelModules.1.name",
        "dm_thin_pool is listed twice",
        "remove one of them, and keep its parameters in the other",
      ],
    ],
  },
  {
    what: "a kernel argument that names another platform",
    stack: "dev",
    changes: [["images/standard/kernelArguments", ["talos.platform=metal"]]],
    problems: [
      [
        "images.standard.kernelArguments.0",
        "talos.platform=metal decides what Hearth decides for each machine",
        "remove it: platform, configuration and name come from the node",
      ],
    ],
  },
  {
    what: "a name for the certificate with its protocol",
    stack: "dev",
    changes: [["cluster/certSANs", ["https://api.example.com"]]],
    problems: [
      [
        "cluster.certSANs.0",
        "https://api.example.com is not a host name or an address",
        "write the name alone, without a protocol and a port, such as api.example.com",
      ],
    ],
  },
  {
    what: "a name for the certificate with its port",
    stack: "dev",
    changes: [["cluster/certSANs", ["api.example.com:6443"]]],
    problems: [
      [
        "cluster.certSANs.0",
        "api.example.com:6443 is not a host name or an address",
        "write the name alone, without a protocol and a port, such as api.example.com",
      ],
    ],
  },
  {
    what: "a time server that is no host",
    stack: "dev",
    changes: [["network/timeServers", ["ntp://time.example.com"]]],
    problems: [
      [
        "network.timeServers.0",
        "ntp://time.example.com is not a host name or an address",
        "write one such as time.cloudflare.com",
      ],
    ],
  },
  {
    what: "a time server with an address that cannot be",
    stack: "dev",
    changes: [["network/timeServers", ["10.20.0.300"]]],
    problems: [
      [
        "network.timeServers.0",
        "10.20.0.300 is not a host name or an address",
        "write one such as time.cloudflare.com",
      ],
    ],
  },
  {
    what: "a mirror of a URL",
    stack: "dev",
    changes: [["cluster/registryMirrors", { "https://docker.io": { endpoints: ["https://mirror.example.com"] } }]],
    problems: [
      [
        "cluster.registryMirrors.https://docker.io",
        "is not the host of a registry",
        "write the host alone, such as docker.io, or * for all",
      ],
    ],
  },
  {
    what: "a mirror of a part of a registry",
    stack: "dev",
    changes: [["cluster/registryMirrors", { "ghcr.io/siderolabs": { endpoints: ["https://mirror.example.com"] } }]],
    problems: [
      [
        "cluster.registryMirrors.ghcr.io/siderolabs",
        "is not the host of a registry",
        "write the host alone, such as docker.io, or * for all",
      ],
    ],
  },
  {
    what: "a mirror of Docker Hub by its API's name",
    stack: "dev",
    changes: [["cluster/registryMirrors", { "registry-1.docker.io": { endpoints: ["https://mirror.example.com"] } }]],
    problems: [
      ["cluster.registryMirrors.registry-1.docker.io", "is not how images of Docker Hub are named", "write docker.io"],
    ],
  },
  {
    what: "LACP's rate in a bond without LACP",
    stack: "prod",
    changes: [["nodes/den-prod-cp01/bond", { mode: "active-backup", macs: ["7C:83:34:30:01:11"], lacpRate: "fast" }]],
    problems: [],
    warnings: [
      ["nodes.den-prod-cp01.bond.lacpRate", "has no effect in mode active-backup", "remove it, or use mode 802.3ad"],
    ],
  },
  {
    what: "a hash policy in a bond that does not hash",
    stack: "prod",
    changes: [
      ["nodes/den-prod-cp01/bond", { mode: "active-backup", macs: ["7C:83:34:30:01:11"], xmitHashPolicy: "layer3+4" }],
    ],
    problems: [],
    warnings: [
      [
        "nodes.den-prod-cp01.bond.xmitHashPolicy",
        "has no effect in mode active-backup",
        "remove it, or use mode 802.3ad or balance-xor or balance-tlb",
      ],
    ],
  },
  {
    what: "Microsoft's certificates without SecureBoot",
    stack: "dev",
    changes: [["images/standard/wellKnownCertificates", true]],
    problems: [],
    warnings: [
      [
        "images.standard.wellKnownCertificates",
        "has no effect without SecureBoot",
        "remove it, or set secureBoot of the cluster or of a node",
      ],
    ],
  },
  {
    what: "an endpoint with a path",
    stack: "dev",
    changes: [["cluster/endpoint", "https://10.20.0.10:6443/api"]],
    problems: [
      [
        "cluster.endpoint",
        "https://10.20.0.10:6443/api has a path, which Kubernetes's clients would call instead of the API",
        "write https://10.20.0.10:6443",
      ],
    ],
  },
  {
    what: "a VIP across VLANs",
    stack: "prod",
    changes: [["nodes/den-prod-cp01/vlan", 100]],
    problems: [],
    warnings: [
      [
        "cluster.vip",
        "10.30.0.10 moves between control planes of one VLAN only, and these tag their packets differently",
        "write the same vlan at all control planes, or use a load balancer as the endpoint",
      ],
    ],
  },
  {
    what: "a taint with a key that is none",
    stack: "dev",
    changes: [["nodes/den-dev-wk01/taints", { "my taint": "NoSchedule" }]],
    problems: [["nodes.den-dev-wk01.taints.my taint", "is not a taint's key", "write one such as dedicated"]],
  },
  {
    what: "a taint with a value that is none",
    stack: "dev",
    changes: [["nodes/den-dev-wk01/taints", { dedicated: "-storage:NoSchedule" }]],
    problems: [
      [
        "nodes.den-dev-wk01.taints.dedicated",
        "-storage is not a taint's value",
        "use at most 63 letters, digits, hyphens, dots and underscores",
      ],
    ],
  },
  {
    what: "an annotation with a key that is none",
    stack: "dev",
    changes: [["nodes/den-dev-wk01/annotations", { "hearth.dev/rack/1": "a" }]],
    problems: [
      [
        "nodes.den-dev-wk01.annotations.hearth.dev/rack/1",
        "is not an annotation's key",
        "write one such as hearth.dev/rack",
      ],
    ],
  },
  {
    what: "an annotation that is Talos's own",
    stack: "dev",
    changes: [["nodes/den-dev-wk01/annotations", { "talos.dev/owned-labels": "[]" }]],
    problems: [
      [
        "nodes.den-dev-wk01.annotations.talos.dev/owned-labels",
        "is an annotation that Talos keeps for itself",
        "remove it",
      ],
    ],
  },
  {
    what: "links to announce on that are no expression",
    stack: "dev",
    changes: [["network/announce", { mode: "l2", interfaces: ["^eth(0$"] }]],
    problems: [["network.announce.interfaces.0", "^eth(0$ is not a regular expression", "write one such as ^eth0$"]],
  },
  {
    what: "links to announce on by their alias",
    stack: "dev",
    changes: [["network/announce", { mode: "l2", interfaces: ["^net0$"] }]],
    problems: [],
    warnings: [
      [
        "network.announce.interfaces",
        "match no name that the kernel gives a link, so that den-dev-cp01 announces nothing",
        "add one such as ^e(n|th); the aliases net0 and net1 are no names",
      ],
      [
        "network.announce.interfaces",
        "match no name that the kernel gives a link, so that den-dev-wk01 announces nothing",
        "add one such as ^e(n|th); the aliases net0 and net1 are no names",
      ],
      [
        "network.announce.interfaces",
        "match no name that the kernel gives a link, so that den-dev-wk02 announces nothing",
        "add one such as ^e(n|th); the aliases net0 and net1 are no names",
      ],
    ],
  },
  {
    what: "links to announce on that are not the machine's VLAN",
    stack: "dev",
    changes: [
      ["network/announce", { mode: "l2", interfaces: ["^e"] }],
      ["nodes/den-dev-wk01/vlan", 100],
    ],
    problems: [],
    warnings: [
      [
        "network.announce.interfaces",
        "match no net0.100, so that den-dev-wk01 announces nothing",
        "add ^net0\\.100$; the aliases net0 and net1 are no names",
      ],
    ],
  },
  {
    what: "a Proxmox API with its path",
    stack: "dev",
    changes: [["proxmox/endpoint", "https://10.20.0.5:8006/api2/json"]],
    problems: [
      [
        "proxmox.endpoint",
        "https://10.20.0.5:8006/api2/json has a path, and the API's own is added to it",
        "write https://10.20.0.5:8006",
      ],
    ],
  },
  {
    what: "disks with one serial number",
    stack: "dev",
    changes: [
      [
        "nodes/den-dev-wk01/proxmox/extraDisks",
        [
          { size: 100, serial: "ceph" },
          { size: 100, serial: "ceph" },
        ],
      ],
    ],
    problems: [
      [
        "nodes.den-dev-wk01.proxmox.extraDisks.1.serial",
        "ceph is also the serial number of another disk of the machine",
        "give each disk one of its own: links under /dev/disk/by-id are made of it",
      ],
    ],
  },
  {
    what: "control planes that cannot be kept apart",
    stack: "dev",
    changes: [["proxmox/antiAffinity", true]],
    problems: [],
    warnings: [
      [
        "proxmox.antiAffinity",
        "has no effect with 1 control plane on 1 host",
        "remove it, or name as many hosts as there are control planes, and at least two",
      ],
    ],
  },
  {
    what: "time servers in a patch",
    stack: "dev",
    changes: [["cluster/patches", { all: [{ machine: { time: { servers: ["time.example.com"] } } }] }]],
    problems: [
      [
        "cluster.patches.all.0.machine.time.servers",
        "is refused by Talos beside the TimeSyncConfig that Hearth writes",
        "use network.timeServers, or bootTimeout of a TimeSyncConfig",
      ],
    ],
  },
  {
    what: "what the advice about patches leads to: search domains, a boot timeout, and a further VLAN with DHCP",
    stack: "dev",
    changes: [
      [
        "nodes/den-dev-wk01/patches",
        [
          { apiVersion: "v1alpha1", kind: "ResolverConfig", searchDomains: { domains: ["example.com"] } },
          { apiVersion: "v1alpha1", kind: "TimeSyncConfig", bootTimeout: "2m" },
          { apiVersion: "v1alpha1", kind: "VLANConfig", name: "net0.200", vlanID: 200, parent: "net0" },
          { apiVersion: "v1alpha1", kind: "DHCPv4Config", name: "net0.200" },
        ],
      ],
    ],
    problems: [],
    warnings: [],
  },
  {
    what: "name servers in a document of their own",
    stack: "dev",
    changes: [
      [
        "nodes/den-dev-wk01/patches",
        [{ apiVersion: "v1alpha1", kind: "ResolverConfig", nameservers: [{ address: "10.20.0.2" }] }],
      ],
    ],
    problems: [],
    warnings: [
      [
        "nodes.den-dev-wk01.patches.0",
        "ResolverConfig is a document that Hearth writes, and Talos would merge both",
        "use network.nameservers",
      ],
    ],
  },
  {
    what: "search domains in a patch",
    stack: "dev",
    changes: [["cluster/patches", { all: [{ machine: { network: { searchDomains: ["example.com"] } } }] }]],
    problems: [
      [
        "cluster.patches.all.0.machine.network.searchDomains",
        "is refused by Talos beside the ResolverConfig that Hearth writes",
        "use searchDomains of a ResolverConfig",
      ],
    ],
  },
  {
    what: "another network in a patch",
    stack: "dev",
    changes: [["cluster/patches", { all: [{ cluster: { network: { cni: { name: "flannel" } } } }] }]],
    problems: [["cluster.patches.all.0.cluster.network.cni", "is none, for Cilium is the network", "remove it"]],
  },
  {
    what: "further pods in a patch",
    stack: "dev",
    changes: [["cluster/patches", { controlPlanes: [{ cluster: { network: { podSubnets: ["10.245.0.0/16"] } } }] }]],
    problems: [
      [
        "cluster.patches.controlPlanes.0.cluster.network.podSubnets",
        "adds ranges to those that Hearth writes",
        "use cluster.podCidr",
      ],
    ],
  },
  {
    what: "taints in a patch",
    stack: "dev",
    changes: [["nodes/den-dev-wk01/patches", [{ machine: { nodeTaints: { dedicated: "storage:NoSchedule" } } }]]],
    problems: [],
    warnings: [
      [
        "nodes.den-dev-wk01.patches.0.machine.nodeTaints",
        "is a setting that Hearth has a key for, and its checks do not see it here",
        "use taints of the node, with which a worker registers",
      ],
    ],
  },
  {
    what: "certificates of kubelets in a patch, in either way",
    stack: "dev",
    changes: [
      [
        "cluster/patches",
        {
          all: [
            { machine: { kubelet: { extraArgs: { "rotate-server-certificates": "true" } } } },
            { machine: { kubelet: { extraConfig: { serverTLSBootstrap: true } } } },
          ],
        },
      ],
    ],
    problems: [],
    warnings: [
      [
        "cluster.patches.all.0.machine.kubelet.extraArgs.rotate-server-certificates",
        "is a setting that Hearth has a key for, and its checks do not see it here",
        "use cluster.kubeletCertificates",
      ],
      [
        "cluster.patches.all.1.machine.kubelet.extraConfig.serverTLSBootstrap",
        "is a setting that Hearth has a key for, and its checks do not see it here",
        "use cluster.kubeletCertificates",
      ],
    ],
  },
  {
    what: "an installer in a patch",
    stack: "dev",
    changes: [
      ["cluster/patches", { all: [{ machine: { install: { image: "ghcr.io/siderolabs/installer:v1.13.9" } } }] }],
    ],
    problems: [],
    warnings: [
      [
        "cluster.patches.all.0.machine.install.image",
        "is a setting that Hearth has a key for, and its checks do not see it here",
        "use image of the node and cluster.talos",
      ],
    ],
  },
  {
    what: "an install disk in a patch",
    stack: "prod",
    changes: [["nodes/den-prod-cp01/patches", [{ machine: { install: { disk: "/dev/sda" } } }]]],
    problems: [],
    warnings: [
      [
        "nodes.den-prod-cp01.patches.0.machine.install.disk",
        "is a setting that Hearth has a key for, and its checks do not see it here",
        "use installDisk of the node",
      ],
    ],
  },
  {
    what: "disk encryption in a patch",
    stack: "dev",
    changes: [
      [
        "cluster/patches",
        {
          all: [
            { machine: { systemDiskEncryption: { state: { provider: "luks2", keys: [{ slot: 0, nodeID: {} }] } } } },
          ],
        },
      ],
    ],
    problems: [],
    warnings: [
      [
        "cluster.patches.all.0.machine.systemDiskEncryption",
        "is a setting that Hearth has a key for, and its checks do not see it here",
        "use diskEncryption of the cluster or of the node",
      ],
    ],
  },
  {
    what: "a volume of the node in a patch too",
    stack: "dev",
    changes: [
      ["nodes/den-dev-wk01/volumes", { data: { disk: "!system_disk", minSize: "10GiB" } }],
      ["nodes/den-dev-wk01/patches", [{ apiVersion: "v1alpha1", kind: "UserVolumeConfig", name: "data" }]],
    ],
    problems: [],
    warnings: [
      [
        "nodes.den-dev-wk01.patches.0",
        "UserVolumeConfig data is a document that Hearth writes, and Talos would merge both",
        "use volumes of the node",
      ],
    ],
  },
  {
    what: "a mirror in a patch too",
    stack: "dev",
    changes: [
      ["cluster/registryMirrors", { "docker.io": { endpoints: ["https://mirror.example.com"] } }],
      ["cluster/patches", { all: [{ apiVersion: "v1alpha1", kind: "RegistryMirrorConfig", name: "docker.io" }] }],
    ],
    problems: [],
    warnings: [
      [
        "cluster.patches.all.0",
        "RegistryMirrorConfig docker.io is a document that Hearth writes, and Talos would merge both",
        "use cluster.registryMirrors",
      ],
    ],
  },
  {
    what: "the VIP in a patch too",
    stack: "dev",
    changes: [
      [
        "cluster/patches",
        { controlPlanes: [{ apiVersion: "v1alpha1", kind: "Layer2VIPConfig", name: "10.20.0.10", link: "net0" }] },
      ],
    ],
    problems: [],
    warnings: [
      [
        "cluster.patches.controlPlanes.0",
        "Layer2VIPConfig 10.20.0.10 is a document that Hearth writes, and Talos would merge both",
        "use cluster.vip",
      ],
    ],
  },
];
