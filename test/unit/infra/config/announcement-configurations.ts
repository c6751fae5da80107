import type { Change } from "../../../support/changes.ts";
import type { BadConfiguration } from "./bad-configurations.ts";

const announce = (settings: object): Change => [
  "network/announce",
  { mode: "bgp", asn: 64513, peers: [{ name: "router", address: "10.30.0.1", asn: 64512 }], ...settings },
];
/** Mistakes in how networks learn addresses, and in what nodes send each other. */
export const badAnnouncements: BadConfiguration[] = [
  {
    what: "an encryption that there is not",
    stack: "dev",
    changes: [["network/encryption", { type: "tls" }]],
    problems: [["network.encryption.type", "tls is not a way of encryption", "write type: none, wireguard or ipsec"]],
  },
  {
    what: "an encryption without its type",
    stack: "dev",
    changes: [["network/encryption", {}]],
    problems: [["network.encryption.type", "is not a way of encryption", "write type: none, wireguard or ipsec"]],
  },
  {
    what: "nodes that encrypt by IPsec",
    stack: "dev",
    changes: [["network/encryption", { type: "ipsec", nodes: true }]],
    problems: [
      [
        "network.encryption.nodes",
        "has no effect without type: wireguard",
        "write type: wireguard beside it, or remove it",
      ],
    ],
  },
  {
    what: "a way to pass on requests that there is not",
    stack: "dev",
    changes: [["network/loadBalancerMode", "dnat"]],
    problems: [["network.loadBalancerMode", "dnat is not one of its values", "write snat"]],
  },
  {
    what: "a hold time that BGP does not take",
    stack: "prod",
    changes: [announce({ timers: { hold: 2 } })],
    problems: [["network.announce.timers.hold", "2 is less than BGP takes", "give 3 to 65535"]],
  },
  {
    what: "a timer that is not a number",
    stack: "prod",
    changes: [announce({ timers: { connectRetry: "10s" } })],
    problems: [["network.announce.timers.connectRetry", "10s is not a number of seconds", "give 1 to 65535"]],
  },
  {
    what: "messages that come after the hold time",
    stack: "prod",
    changes: [announce({ timers: { hold: 9, keepAlive: 10 } })],
    problems: [["network.announce.timers.keepAlive", "10 is more than hold, 9", "give 3"]],
  },
  {
    what: "messages of which none may be lost",
    stack: "prod",
    changes: [announce({ timers: { hold: 9, keepAlive: 5 } })],
    problems: [],
    warnings: [["network.announce.timers.keepAlive", "5 is more than a third of hold, 9", "give 3"]],
  },
  {
    what: "a hold time below the default messages",
    stack: "prod",
    changes: [announce({ timers: { hold: 9 } })],
    problems: [["network.announce.timers.keepAlive", "30 is more than hold, 9", "give 3"]],
  },
  {
    what: "a peer of one hop, said twice",
    stack: "prod",
    changes: [announce({ multihop: 1 })],
    problems: [["network.announce.multihop", "1 is the default", "remove it, or give 2 to 255"]],
  },
  {
    what: "more hops than a packet lives",
    stack: "prod",
    changes: [announce({ multihop: 256 })],
    problems: [["network.announce.multihop", "256 is more than an IP packet's time to live", "give 2 to 255"]],
  },
  {
    what: "a peer further than one hop",
    stack: "prod",
    changes: [announce({ peers: [{ name: "router", address: "172.16.0.1", asn: 64512 }] })],
    problems: [],
    warnings: [
      [
        "network.announce.peers.0.address",
        "172.16.0.1 is in no network of the machines, and BGP reaches one hop",
        "add multihop with the number of routers between, plus one",
      ],
    ],
  },
  {
    what: "an authentication that there is not",
    stack: "prod",
    changes: [announce({ authentication: "md5" })],
    problems: [["network.announce.authentication", "md5 is not one of its values", "use none or password"]],
  },
  {
    what: "an authentication of one peer",
    stack: "prod",
    changes: [announce({ peers: [{ name: "router", address: "10.30.0.1", asn: 64512, authentication: "password" }] })],
    problems: [
      ["network.announce.peers.0.authentication", "is not a key that Hearth knows", "use name, address or asn"],
    ],
  },
  {
    what: "a peer by its name",
    stack: "prod",
    changes: [announce({ peers: [{ name: "router", address: "router.lan", asn: 64512 }] })],
    problems: [["network.announce.peers.0.address", "router.lan is not an address", "write one such as 10.20.0.1"]],
  },
];
