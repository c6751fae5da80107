import { kernelName } from "../../../components/talos/documents/links.ts";
import type { ConfigurationProblem } from "../error.ts";
import { collisions } from "./collisions.ts";
import { contains, overlap } from "../ip.ts";
import { setSecret } from "../secrets.ts";
import type { Check } from "./check.ts";

/** With L2, hosts of the subnet find the pool by ARP, so it has to be inside. With BGP they ask the router, so it has to be outside. */
const poolIsWhereItIsAnnounced: Check = ({ network }) => {
  if (!network) return [];
  const { subnet, loadBalancers: pool, announce } = network;
  const path = ["network", "loadBalancers"];
  if (announce.mode === "l2" && !contains(subnet, pool)) {
    return [
      {
        path,
        problem: `${pool} is outside the subnet ${subnet}, where nobody asks for it by L2`,
        advice: "use a range of the subnet, or announce it by BGP",
      },
    ];
  }
  if (announce.mode === "bgp" && overlap(subnet, pool)) {
    return [
      {
        path,
        problem: `${pool} overlaps the subnet ${subnet}, whose hosts would not ask the router for it`,
        advice: "use a range outside of the subnet, or announce it by L2",
      },
    ];
  }
  return [];
};

const poolIsApart: Check = ({ cluster, network }) =>
  cluster && network
    ? (["podCidr", "serviceCidr"] as const)
        .filter((key) => overlap(cluster[key], network.loadBalancers))
        .map((key) => ({
          path: ["network", "loadBalancers"],
          problem: `${network.loadBalancers} overlaps cluster.${key}, ${cluster[key]}`,
          advice: "use a range that is apart from it",
        }))
    : [];

const peersOnce: Check = ({ network }) => {
  if (network?.announce.mode !== "bgp") return [];
  const { peers } = network.announce;
  const claims = (field: "name" | "address") =>
    peers.map((peer, index) => ({
      path: ["network", "announce", "peers", index, field],
      value: peer[field],
      owner: `the ${field} of peer ${index}`,
      advice: "remove one of them",
    }));
  return [...collisions(claims("name")), ...collisions(claims("address"))];
};

const peersAreRouters: Check = ({ network, nodes }) =>
  network?.announce.mode === "bgp"
    ? network.announce.peers.flatMap(({ address }, index) => {
        const node = Object.entries(nodes).find(([, { address: own }]) => own === address);
        if (!node) return [];
        return [
          {
            path: ["network", "announce", "peers", index, "address"],
            problem: `${address} is the address of ${node[0]}, which is no router`,
            advice: "write the address of the router",
          },
        ];
      })
    : [];

/** Between equal numbers BGP is internal, and routers pass on routes by other rules. */
const ownNumber: Check = ({ network }) => {
  if (network?.announce.mode !== "bgp") return [];
  const { asn, peers } = network.announce;
  return peers.flatMap(({ asn: theirs }, index) =>
    theirs === asn
      ? [
          {
            path: ["network", "announce", "peers", index, "asn"],
            problem: `${theirs} is the cluster's own number, so that this is internal BGP`,
            advice: "give the cluster a number of its own, such as 64513",
            warning: true,
          },
        ]
      : [],
  );
};

/** Source: RFC 4271, 4.4: a third of the hold time at most, or one lost message ends the session. */
const timersFit: Check = ({ network }) => {
  if (network?.announce.mode !== "bgp") return [];
  const { hold = 90, keepAlive = 30 } = network.announce.timers ?? {};
  if (keepAlive * 3 <= hold) return [];
  const path = ["network", "announce", "timers", "keepAlive"];
  const problem = `${keepAlive} is more than a third of hold, ${hold}`;
  return keepAlive > hold
    ? [{ path, problem: `${keepAlive} is more than hold, ${hold}`, advice: `give ${Math.floor(hold / 3) || 1}` }]
    : [{ path, problem, advice: `give ${Math.floor(hold / 3) || 1}`, warning: true }];
};

const passwordIsSet: Check = ({ network, secrets }) => {
  if (!network) return [];
  const asked = network.announce.mode === "bgp" && network.announce.authentication === "password";
  const isSet = secrets.includes("bgpPassword");
  if (asked === isSet) return [];
  if (asked) {
    const path = ["network", "announce", "authentication"];
    return [{ path, problem: "is password, and there is none", advice: setSecret("bgpPassword"), undeployable: true }];
  }
  const problem = "is not used, for network.announce has no authentication: password";
  const advice = "add it, or remove the secret with: pulumi config rm hearth:bgpPassword";
  return [{ path: ["bgpPassword"], problem, advice, warning: true }];
};

/** Peers beyond the machines' own network need more than one hop. */
const peersAreNear: Check = ({ network }) => {
  if (network?.announce.mode !== "bgp" || network.announce.multihop !== undefined) return [];
  const { subnet, ipv6, networks } = network;
  const near = [subnet, ipv6?.subnet, ...Object.values(networks).flatMap((each) => [each.subnet, each.subnet6])];
  return network.announce.peers.flatMap(({ address }, index) =>
    near.some((range) => range !== undefined && contains(range, address)) || contains("fe80::/10", address)
      ? []
      : [
          {
            path: ["network", "announce", "peers", index, "address"],
            problem: `${address} is in no network of the machines, and BGP reaches one hop`,
            advice: "add multihop with the number of routers between, plus one",
            warning: true,
          },
        ],
  );
};

/** Names that the kernel gives hardware. Source: systemd.net-naming-scheme(7), which Talos follows. */
const kernelNames = ["eth0", "eno1", "ens18", "enp1s0", "enp0s31f6", "enxbc2411200011", "end0"];

const interfacesAreLinks: Check = ({ network, nodes, complete }) => {
  if (network?.announce.mode !== "l2" || network.announce.interfaces.length === 0) return [];
  const { interfaces } = network.announce;
  const path = ["network", "announce", "interfaces"];
  const broken = interfaces.findIndex((text) => !isExpression(text));
  if (broken !== -1) {
    const problem = `${interfaces[broken] ?? ""} is not a regular expression`;
    return [{ path: [...path, broken], problem, advice: "write one such as ^eth0$" }];
  }
  const matches = (names: string[]) => names.some((name) => interfaces.some((text) => new RegExp(text).test(name)));
  return Object.entries(complete ? nodes : {}).flatMap(([node, { bond, vlan }]): ConfigurationProblem[] => {
    const name = kernelName({ bond, vlan });
    if (matches(name === undefined ? kernelNames : [name])) return [];
    return [
      {
        path,
        problem: `match ${name === undefined ? "no name that the kernel gives a link" : `no ${name}`}, so that ${node} announces nothing`,
        advice: `add ${name === undefined ? "one such as ^e(n|th)" : `^${name.replace(".", String.raw`\.`)}$`}; the aliases net0 and net1 are no names`,
        warning: true,
      },
    ];
  });
};

const isExpression = (text: string): boolean => {
  try {
    return new RegExp(text) instanceof RegExp;
  } catch {
    return false;
  }
};

export const announcementChecks: Check[] = [
  interfacesAreLinks,
  poolIsWhereItIsAnnounced,
  poolIsApart,
  peersOnce,
  peersAreRouters,
  ownNumber,
  timersFit,
  passwordIsSet,
  peersAreNear,
];
