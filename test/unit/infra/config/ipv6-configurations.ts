import type { Change } from "../../../support/changes.ts";
import type { BadConfiguration } from "./bad-configurations.ts";

const both = (changes: object = {}): Change => [
  "network/ipv6",
  {
    subnet: "fd00:10:20::/64",
    gateway: "fd00:10:20::1",
    podCidr: "fd00:10:244::/48",
    serviceCidr: "fd00:10:96::/112",
    loadBalancers: "fd00:10:20::1:0/112",
    vip: "fd00:10:20::10",
    ...changes,
  },
];
const nodes = (first = "fd00:10:20::11"): Change[] => [
  ["nodes/den-dev-cp01/address6", first],
  ["nodes/den-dev-wk01/address6", "fd00:10:20::21"],
  ["nodes/den-dev-wk02/address6", "fd00:10:20::22"],
];
/** Mistakes in the IPv6 side of a stack, and what is none. */
export const badIpv6: BadConfiguration[] = [
  {
    what: "both families, which is no mistake",
    stack: "dev",
    changes: [both(), ...nodes()],
    problems: [],
    warnings: [],
  },
  {
    what: "both families by BGP, with a router's address of the link",
    stack: "dev",
    changes: [
      both({ gateway: "fe80::1", loadBalancers: "fd00:10:31::/112" }),
      ...nodes(),
      ["network/loadBalancers", "10.31.0.0/24"],
      [
        "network/announce",
        { mode: "bgp", asn: 64513, peers: [{ name: "router", address: "fd00:10:20::1", asn: 64512 }] },
      ],
    ],
    problems: [],
    warnings: [],
  },
  {
    what: "a node without IPv6 among those with it",
    stack: "dev",
    changes: [both(), ...nodes(), ["nodes/den-dev-wk02/address6", undefined]],
    problems: [
      ["nodes.den-dev-wk02.address6", "is missing, in a cluster with network.ipv6", "add it, in fd00:10:20::/64"],
    ],
  },
  {
    what: "an IPv6 pool without the gateways' addresses",
    stack: "dev",
    changes: [both({ loadBalancers: "fd00:10:20::1:0/127" }), ...nodes()],
    problems: [
      [
        "network.ipv6.loadBalancers",
        "fd00:10:20::1:0/127 has no room for the addresses of both gateways",
        "use a larger range, such as a /112",
      ],
    ],
  },
  {
    what: "a node with IPv6 in a cluster without it",
    stack: "dev",
    changes: [["nodes/den-dev-wk02/address6", "fd00:10:20::22"]],
    problems: [["nodes.den-dev-wk02.address6", "has no effect without network.ipv6", "remove it, or add network.ipv6"]],
  },
  {
    what: "an IPv4 address for IPv6",
    stack: "dev",
    changes: [both(), ...nodes("10.20.0.11")],
    problems: [
      ["nodes.den-dev-cp01.address6", "10.20.0.11 is not an IPv6 address", "write one such as fd00:10:20::11"],
    ],
  },
  {
    what: "a node outside of the IPv6 subnet",
    stack: "dev",
    changes: [both(), ...nodes("fd00:10:21::11")],
    problems: [
      [
        "nodes.den-dev-cp01.address6",
        "fd00:10:21::11 is outside the IPv6 subnet fd00:10:20::/64",
        "use an address of it, such as fd00:10:20::11",
      ],
    ],
  },
  {
    what: "a node with the address of all routers",
    stack: "dev",
    changes: [both(), ...nodes("fd00:10:20::")],
    problems: [
      [
        "nodes.den-dev-cp01.address6",
        "fd00:10:20:: is the address of all routers in fd00:10:20::/64",
        "use an address of it, such as fd00:10:20::11",
      ],
    ],
  },
  {
    what: "a node with the VIP's IPv6 address, written in full",
    stack: "dev",
    changes: [both(), ...nodes("fd00:0010:0020:0:0:0:0:0010")],
    problems: [
      [
        "nodes.den-dev-cp01.address6",
        "fd00:0010:0020:0:0:0:0:0010 is also the IPv6 VIP",
        "give one of them another address",
      ],
    ],
  },
  {
    what: "an IPv6 VIP outside of the subnet",
    stack: "dev",
    changes: [both({ vip: "fe80::10" }), ...nodes()],
    problems: [
      [
        "network.ipv6.vip",
        "fe80::10 is outside the IPv6 subnet fd00:10:20::/64",
        "use an address of it, such as fd00:10:20::11",
      ],
    ],
  },
  {
    what: "an IPv6 subnet with host bits",
    stack: "dev",
    changes: [both({ subnet: "fd00:10:20::1/64" }), ...nodes()],
    problems: [
      [
        "network.ipv6.subnet",
        "fd00:10:20::1/64 has host bits set, or is not in its shortest form",
        "write fd00:10:20::/64",
      ],
    ],
  },
  {
    what: "an IPv6 subnet that is an IPv4 one",
    stack: "dev",
    changes: [both({ subnet: "10.20.0.0/24" }), ...nodes()],
    problems: [["network.ipv6.subnet", "10.20.0.0/24 is not an IPv6 range", "write one such as fd00:10:20::/64"]],
  },
  {
    what: "an IPv6 subnet smaller than a /64",
    stack: "dev",
    changes: [both({ subnet: "fd00:10:20::/96" }), ...nodes()],
    problems: [],
    warnings: [
      [
        "network.ipv6.subnet",
        "fd00:10:20::/96 is smaller than a /64, which machines and routers expect of a network",
        "use a /64",
      ],
    ],
  },
  {
    what: "IPv6 pods over Services",
    stack: "dev",
    changes: [both({ serviceCidr: "fd00:10:244::/112" }), ...nodes()],
    problems: [
      [
        "network.ipv6.serviceCidr",
        "fd00:10:244::/112 overlaps network.ipv6.podCidr, fd00:10:244::/48",
        "use ranges that are apart",
      ],
    ],
  },
  {
    what: "an IPv6 pool outside of the subnet by L2",
    stack: "dev",
    changes: [both({ loadBalancers: "fd00:10:31::/112" }), ...nodes()],
    problems: [
      [
        "network.ipv6.loadBalancers",
        "fd00:10:31::/112 is outside the IPv6 subnet fd00:10:20::/64, where nobody asks for it by L2",
        "use a range of the subnet, or announce it by BGP",
      ],
    ],
  },
  {
    what: "an IPv6 pool inside of the subnet by BGP",
    stack: "dev",
    changes: [
      both(),
      ...nodes(),
      ["network/loadBalancers", "10.31.0.0/24"],
      ["network/announce", { mode: "bgp", asn: 64513, peers: [{ name: "router", address: "10.20.0.1", asn: 64512 }] }],
    ],
    problems: [
      [
        "network.ipv6.loadBalancers",
        "fd00:10:20::1:0/112 overlaps network.ipv6.subnet, fd00:10:20::/64",
        "use ranges that are apart",
      ],
    ],
  },
  {
    what: "a node in the IPv6 pool",
    stack: "dev",
    changes: [both(), ...nodes("fd00:10:20::1:11")],
    problems: [
      [
        "nodes.den-dev-cp01.address6",
        "fd00:10:20::1:11 is in the load balancers' IPv6 pool fd00:10:20::1:0/112",
        "use an address outside of it, or make network.ipv6.loadBalancers smaller",
      ],
    ],
  },
  {
    what: "too large a range of IPv6 pods",
    stack: "dev",
    changes: [
      both({
        podCidr: "fd00:10::/32",
        serviceCidr: "fd01::/112",
        subnet: "fd02:10:20::/64",
        gateway: undefined,
        vip: undefined,
        loadBalancers: "fd02:10:20::1:0/112",
      }),
      ["nodes/den-dev-cp01/address6", "fd02:10:20::11"],
      ["nodes/den-dev-wk01/address6", "fd02:10:20::21"],
      ["nodes/den-dev-wk02/address6", "fd02:10:20::22"],
    ],
    problems: [
      [
        "network.ipv6.podCidr",
        "fd00:10::/32 is more than 16 bits larger than the /64 of a node, which Kubernetes refuses",
        "use a /48 to a /56",
      ],
    ],
  },
  {
    what: "too small a range of IPv6 pods",
    stack: "dev",
    changes: [both({ podCidr: "fd00:10:244::/63" }), ...nodes()],
    problems: [
      [
        "network.ipv6.podCidr",
        "fd00:10:244::/63 has room for 2 of 3 nodes, at a /64 each",
        "use a larger range, such as a /56",
      ],
    ],
  },
  {
    what: "a range of IPv6 pods below a node's",
    stack: "dev",
    changes: [both({ podCidr: "fd00:10:244::/112" }), ...nodes()],
    problems: [
      [
        "network.ipv6.podCidr",
        "fd00:10:244::/112 has room for 0 of 3 nodes, at a /64 each",
        "use a larger range, such as a /56",
      ],
    ],
  },
  {
    what: "too large a range of IPv6 Services",
    stack: "dev",
    changes: [both({ serviceCidr: "fd00:10:96::/64" }), ...nodes()],
    problems: [
      [
        "network.ipv6.serviceCidr",
        "fd00:10:96::/64 is larger than the API server takes",
        "use a /108 or smaller, such as a /112",
      ],
    ],
  },
];
