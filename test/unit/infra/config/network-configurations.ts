import type { Change } from "../../../support/changes.ts";
import type { BadConfiguration } from "./bad-configurations.ts";

const node = "nodes/den-dev-wk01";
const storage: Change = ["network/networks", { storage: { subnet: "10.50.0.0/24" } }];
const tagged: Change = ["network/networks", { storage: { subnet: "10.50.0.0/24", vlan: 50 } }];
const link = (settings: object): Change => [`${node}/links`, { storage: settings }];
const mac = "BC:24:11:50:00:21";
/** Mistakes in how machines are connected to networks. */
export const badNetworks: BadConfiguration[] = [
  {
    what: "a link to a network that is not there",
    stack: "dev",
    changes: [storage, [`${node}/links`, { storrage: { mac, address: "10.50.0.21" } }]],
    problems: [["nodes.den-dev-wk01.links.storrage", "is not a network under network.networks", "write storage"]],
  },
  {
    what: "a link to a network, with no networks",
    stack: "dev",
    changes: [link({ mac, address: "10.50.0.21" })],
    problems: [
      [
        "nodes.den-dev-wk01.links.storage",
        "is not a network under network.networks",
        "add network.networks.storage with its subnet",
      ],
    ],
  },
  {
    what: "a network without a link to it",
    stack: "dev",
    changes: [storage],
    problems: [],
    warnings: [
      [
        "network.networks.storage",
        "is not used, for no node has a link to it",
        "remove it, or add links.storage to the nodes that are in it",
      ],
    ],
  },
  {
    what: "a network with the name of a link",
    stack: "dev",
    changes: [["network/networks", { net1: { subnet: "10.50.0.0/24" } }]],
    problems: [["network.networks.net1", "net1 is a name that links of machines have", "use another, such as storage"]],
  },
  {
    what: "a network with too long a name",
    stack: "dev",
    changes: [["network/networks", { "storage-net": { subnet: "10.50.0.0/24" } }]],
    problems: [
      [
        "network.networks.storage-net",
        "storage-net is longer than the name of a link may be",
        "use at most 10 characters, such as storage",
      ],
    ],
  },
  {
    what: "a network over the nodes' own",
    stack: "dev",
    changes: [["network/networks", { storage: { subnet: "10.20.0.128/25" } }], link({ mac, address: "10.20.0.221" })],
    problems: [
      [
        "network.networks.storage.subnet",
        "10.20.0.128/25 overlaps network.subnet, 10.20.0.0/24",
        "use a range that is apart from it",
      ],
    ],
  },
  {
    what: "a network over pods",
    stack: "dev",
    changes: [["network/networks", { storage: { subnet: "10.244.7.0/24" } }], link({ mac, address: "10.244.7.21" })],
    problems: [
      [
        "network.networks.storage.subnet",
        "10.244.7.0/24 overlaps cluster.podCidr, 10.244.0.0/16",
        "use a range that is apart from it",
      ],
    ],
  },
  {
    what: "two networks over each other",
    stack: "dev",
    changes: [
      ["network/networks", { storage: { subnet: "10.50.0.0/24" }, backup: { subnet: "10.50.0.0/16" } }],
      [
        `${node}/links`,
        { storage: { mac, address: "10.50.0.21" }, backup: { mac: "BC:24:11:60:00:21", address: "10.50.7.21" } },
      ],
    ],
    problems: [
      [
        "network.networks.backup.subnet",
        "10.50.0.0/16 overlaps network.networks.storage.subnet, 10.50.0.0/24",
        "use a range that is apart from it",
      ],
    ],
  },
  {
    what: "a network with host bits",
    stack: "dev",
    changes: [["network/networks", { storage: { subnet: "10.50.0.1/24" } }], link({ mac, address: "10.50.0.21" })],
    problems: [["network.networks.storage.subnet", "10.50.0.1/24 has host bits set", "write 10.50.0.0/24"]],
  },
  {
    what: "a network with host bits in its IPv6 subnet",
    stack: "dev",
    changes: [
      ["network/networks", { storage: { subnet: "10.50.0.0/24", subnet6: "fd00:10:50::1/64" } }],
      link({ mac, address: "10.50.0.21" }),
    ],
    problems: [["network.networks.storage.subnet6", "fd00:10:50::1/64 has host bits set", "write fd00:10:50::/64"]],
  },
  {
    what: "a link without an address",
    stack: "dev",
    changes: [storage, link({ mac })],
    problems: [
      ["nodes.den-dev-wk01.links.storage.address", "is missing", "add it, in 10.50.0.0/24, or write dhcp: true"],
    ],
  },
  {
    what: "a link with an address beside DHCP",
    stack: "dev",
    changes: [storage, link({ mac, address: "10.50.0.21", dhcp: true })],
    problems: [
      [
        "nodes.den-dev-wk01.links.storage.address",
        "stands beside dhcp, by which the machine asks for its address",
        "remove either",
      ],
    ],
  },
  {
    what: "a link outside of its network",
    stack: "dev",
    changes: [storage, link({ mac, address: "10.51.0.21" })],
    problems: [
      [
        "nodes.den-dev-wk01.links.storage.address",
        "10.51.0.21 is outside 10.50.0.0/24, the subnet of storage",
        "use an address of a host in it",
      ],
    ],
  },
  {
    what: "a link with its network's broadcast address",
    stack: "dev",
    changes: [storage, link({ mac, address: "10.50.0.255" })],
    problems: [
      [
        "nodes.den-dev-wk01.links.storage.address",
        "10.50.0.255 is an address of the subnet 10.50.0.0/24 that no host may have",
        "use an address of a host in it",
      ],
    ],
  },
  {
    what: "a link with IPv6 in a network without it",
    stack: "dev",
    changes: [storage, link({ mac, address: "10.50.0.21", address6: "fd00:10:50::21" })],
    problems: [
      [
        "nodes.den-dev-wk01.links.storage.address6",
        "storage has no IPv6 subnet",
        "add network.networks.storage.subnet6, or remove it",
      ],
    ],
  },
  {
    what: "a link outside of its IPv6 network",
    stack: "dev",
    changes: [
      ["network/networks", { storage: { subnet: "10.50.0.0/24", subnet6: "fd00:10:50::/64" } }],
      link({ mac, address: "10.50.0.21", address6: "fd00:10:51::21" }),
    ],
    problems: [
      [
        "nodes.den-dev-wk01.links.storage.address6",
        "fd00:10:51::21 is outside fd00:10:50::/64, the subnet of storage",
        "use an address of a host in it",
      ],
    ],
  },
  {
    what: "an address twice in a network",
    stack: "dev",
    changes: [
      storage,
      link({ mac, address: "10.50.0.21" }),
      ["nodes/den-dev-wk02/links", { storage: { mac: "BC:24:11:50:00:22", address: "10.50.0.21" } }],
    ],
    problems: [
      [
        "nodes.den-dev-wk02.links.storage.address",
        "10.50.0.21 is also the address of den-dev-wk01 in storage",
        "give one of them another address",
      ],
    ],
  },
  {
    what: "hardware twice, for a network and for a node",
    stack: "dev",
    changes: [storage, link({ mac: "BC:24:11:20:00:22", address: "10.50.0.21" })],
    problems: [
      [
        "nodes.den-dev-wk01.links.storage.mac",
        "BC:24:11:20:00:22 is also a link of den-dev-wk02",
        "name each link once",
      ],
    ],
  },
  {
    what: "a link of nothing",
    stack: "dev",
    changes: [storage, link({ address: "10.50.0.21" })],
    problems: [
      [
        "nodes.den-dev-wk01.links.storage",
        "has neither hardware of its own nor a VLAN",
        "add its mac, or a vlan here or at network.networks.storage",
      ],
    ],
  },
  {
    what: "a bond without hardware",
    stack: "dev",
    changes: [tagged, link({ address: "10.50.0.21", bond: { mode: "active-backup" } })],
    problems: [
      [
        "nodes.den-dev-wk01.links.storage.mac",
        "is missing, and a bond is made of hardware",
        "add the hardware address of the bond's first link",
      ],
    ],
  },
  {
    what: "a network in the VLAN of the node itself",
    stack: "dev",
    changes: [tagged, [`${node}/vlan`, 50], link({ address: "10.50.0.21" })],
    problems: [
      [
        "nodes.den-dev-wk01.links.storage",
        "is VLAN 50, which the node itself is in",
        "use another VLAN, or add the mac of another link",
      ],
    ],
  },
  {
    what: "two networks in one VLAN of a link",
    stack: "dev",
    changes: [
      ["network/networks", { storage: { subnet: "10.50.0.0/24", vlan: 50 }, backup: { subnet: "10.60.0.0/24" } }],
      [`${node}/links`, { storage: { address: "10.50.0.21" }, backup: { address: "10.60.0.21", vlan: 50 } }],
    ],
    problems: [
      [
        "nodes.den-dev-wk01.links.backup",
        "VLAN 50 is also the VLAN of storage on the same link",
        "give each network its own",
      ],
    ],
  },
  {
    what: "packets of a VLAN that its link does not carry",
    stack: "dev",
    changes: [
      ["network/networks", { storage: { subnet: "10.50.0.0/24", vlan: 50, mtu: 9000 } }],
      link({ address: "10.50.0.21" }),
    ],
    problems: [
      [
        "nodes.den-dev-wk01.links.storage.mtu",
        "9000 is more than the 1500 bytes of the link that carries the VLAN",
        "set nodes.den-dev-wk01.mtu to 9000, or this to 1500",
      ],
    ],
  },
  {
    what: "a VLAN that there is not",
    stack: "dev",
    changes: [
      ["network/networks", { storage: { subnet: "10.50.0.0/24", vlan: 4095 } }],
      link({ address: "10.50.0.21" }),
    ],
    problems: [["network.networks.storage.vlan", "4095 is no VLAN", "give 1 to 4094"]],
  },
  {
    what: "a route with host bits",
    stack: "dev",
    changes: [[`${node}/routes`, [{ to: "10.60.0.1/16", via: "10.20.0.2" }]]],
    problems: [["nodes.den-dev-wk01.routes.0.to", "10.60.0.1/16 has host bits set", "write 10.60.0.0/16"]],
  },
  {
    what: "a route by a router elsewhere",
    stack: "dev",
    changes: [[`${node}/routes`, [{ to: "10.60.0.0/16", via: "10.30.0.2" }]]],
    problems: [
      [
        "nodes.den-dev-wk01.routes.0.via",
        "10.30.0.2 is in no network of the link: 10.20.0.0/24",
        "write the address of a router in one of them",
      ],
    ],
  },
  {
    what: "a route by a router of another link",
    stack: "dev",
    changes: [storage, link({ mac, address: "10.50.0.21", routes: [{ to: "10.60.0.0/16", via: "10.20.0.2" }] })],
    problems: [
      [
        "nodes.den-dev-wk01.links.storage.routes.0.via",
        "10.20.0.2 is in no network of the link: 10.50.0.0/24",
        "write the address of a router in one of them",
      ],
    ],
  },
  {
    what: "a route to pods",
    stack: "dev",
    changes: [[`${node}/routes`, [{ to: "10.244.0.0/16", via: "10.20.0.2" }]]],
    problems: [
      [
        "nodes.den-dev-wk01.routes.0.to",
        "10.244.0.0/16 overlaps cluster.podCidr, 10.244.0.0/16, which machines reach without a router",
        "use a range outside of it",
      ],
    ],
  },
  {
    what: "a route to everywhere",
    stack: "dev",
    changes: [[`${node}/routes`, [{ to: "0.0.0.0/0", via: "10.20.0.2" }]]],
    problems: [["nodes.den-dev-wk01.routes.0.to", "0.0.0.0/0 is every address", "write network.gateway for that"]],
  },
  {
    what: "a route without its range",
    stack: "dev",
    changes: [[`${node}/routes`, [{ via: "10.20.0.2" }]]],
    problems: [["nodes.den-dev-wk01.routes.0.to", "is missing", "add it, such as 10.60.0.0/16"]],
  },
  {
    what: "a further address without its prefix",
    stack: "dev",
    changes: [[`${node}/addresses`, ["192.168.7.21"]]],
    problems: [
      [
        "nodes.den-dev-wk01.addresses.0",
        "192.168.7.21 is not an address with the length of its network's prefix",
        "write one such as 10.20.0.111/24",
      ],
    ],
  },
  {
    what: "a further address that another node has",
    stack: "dev",
    changes: [[`${node}/addresses`, ["10.20.0.22/24"]]],
    problems: [
      [
        "nodes.den-dev-wk01.addresses.0",
        "10.20.0.22 is also the address of den-dev-wk02",
        "give one of them another address",
      ],
    ],
  },
  {
    what: "a bridge for a network without links",
    stack: "dev",
    changes: [["proxmox/networks", { storage: { bridge: "vmbr1" } }]],
    problems: [
      [
        "proxmox.networks.storage",
        "connects nothing, for no virtual machine has a link with a mac to this network",
        "remove it, or give links.storage of the nodes a mac",
      ],
    ],
  },
  {
    what: "two links of a machine on one bridge",
    stack: "dev",
    changes: [storage, link({ mac, address: "10.50.0.21" })],
    problems: [],
    warnings: [
      [
        "nodes.den-dev-wk01.links.storage.mac",
        "is a second link on the bridge of the first, in no VLAN of its own",
        "give proxmox.networks.storage another bridge or a vlan; or remove this, and the link is a VLAN on the first",
      ],
    ],
  },
];
