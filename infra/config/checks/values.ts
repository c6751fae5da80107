import type { ConfigurationProblem } from "../error.ts";
import type { Check } from "./check.ts";

const hostName = /^(?=.{1,253}$)[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*\.?$/i;
const ipv6 = /^[\da-f:]*:[\da-f:.]*$/i;

/** Whether a text is a name or an address of a host. Digits and dots alone are an address. */
const isHost = (value: string): boolean =>
  /^[\d.]+$/.test(value)
    ? /^(\d{1,3}\.){3}\d{1,3}$/.test(value) && value.split(".").every((octet) => Number(octet) <= 255)
    : hostName.test(value) || ipv6.test(value);

/** A certificate has names and addresses, and Talos asks for the time by them. */
const hostsAreHosts: Check = ({ cluster, network }) => [
  ...(cluster?.certSANs ?? [])
    .map((value, index) => ({ value, path: ["cluster", "certSANs", index] }))
    .filter(({ value }) => !isHost(value.replace(/^\*\./, "")))
    .map(({ value, path }) => ({
      path,
      problem: `${value} is not a host name or an address`,
      advice: "write the name alone, without a protocol and a port, such as api.example.com",
    })),
  ...(network?.timeServers ?? [])
    .map((value, index) => ({ value, path: ["network", "timeServers", index] }))
    .filter(({ value }) => !isHost(value) && !/^\/dev\/ptp\d+$/.test(value))
    .map(({ value, path }) => ({
      path,
      problem: `${value} is not a host name or an address`,
      advice: "write one such as time.cloudflare.com",
    })),
];

const oneAudit: Check = ({ cluster }) =>
  cluster?.auditLevel && cluster.auditPolicy
    ? [
        {
          path: ["cluster", "auditLevel"],
          problem: "stands beside auditPolicy, whose rules decide alone",
          advice: "remove it, or make it the last rule",
        },
      ]
    : [];

/** containerd looks for mirrors by the host of an image's name. Source: containerd v2.2, docs/hosts.md. */
const mirrorsAreOfRegistries: Check = ({ cluster }) =>
  Object.keys(cluster?.registryMirrors ?? {}).flatMap((registry): ConfigurationProblem[] => {
    const path = ["cluster", "registryMirrors", registry];
    if (/\/|:\/\//.test(registry) || !isHost(registry.replace(/:\d+$/, "").replace(/^\*$/, "a"))) {
      const advice = "write the host alone, such as docker.io, or * for all";
      return [{ path, problem: "is not the host of a registry", advice }];
    }
    return ["index.docker.io", "registry-1.docker.io", "hub.docker.com", "docker.com"].includes(registry)
      ? [{ path, problem: "is not how images of Docker Hub are named", advice: "write docker.io" }]
      : [];
  });

/** Modes of a bond in which an option has an effect. Source: Linux 6.18, Documentation/networking/bonding.rst. */
const modesOf: Record<"lacpRate" | "xmitHashPolicy", string[]> = {
  lacpRate: ["802.3ad"],
  xmitHashPolicy: ["802.3ad", "balance-xor", "balance-tlb"],
};

const bondOptions: Check = ({ nodes }) =>
  Object.entries(nodes).flatMap(([name, { bond }]) =>
    (["lacpRate", "xmitHashPolicy"] as const)
      .filter((option) => bond?.[option] !== undefined && !modesOf[option].includes(bond.mode))
      .map((option) => ({
        path: ["nodes", name, "bond", option],
        problem: `has no effect in mode ${String(bond?.mode)}`,
        advice: `remove it, or use mode ${modesOf[option].join(" or ")}`,
        warning: true,
      })),
  );

const certificatesAreRead: Check = ({ cluster, images = {}, nodes, complete }) =>
  complete
    ? Object.entries(images)
        .filter(([, { wellKnownCertificates }]) => wellKnownCertificates)
        .filter(([profile]) =>
          Object.values(nodes).every((node) => node.image !== profile || !(node.secureBoot ?? cluster?.secureBoot)),
        )
        .map(([profile]) => ({
          path: ["images", profile, "wellKnownCertificates"],
          problem: "has no effect without SecureBoot",
          advice: "remove it, or set secureBoot of the cluster or of a node",
          warning: true,
        }))
    : [];

/** The endpoint is an origin, to which clients add the paths of the API. */
const endpointIsOrigin: Check = ({ cluster }) =>
  cluster && new URL(cluster.endpoint).pathname !== "/"
    ? [
        {
          path: ["cluster", "endpoint"],
          problem: `${cluster.endpoint} has a path, which Kubernetes's clients would call instead of the API`,
          advice: `write ${new URL(cluster.endpoint).origin}`,
        },
      ]
    : [];

/** A VIP is answered for by ARP, which leaves no subnet. Talos moves it among the control planes. */
const vipIsMoved: Check = ({ cluster, nodes, complete }) => {
  if (!cluster?.vip || !complete) return [];
  const controlPlanes = Object.values(nodes).filter(({ role }) => role === "controlplane");
  const links = new Set(controlPlanes.map(({ vlan }) => vlan ?? 0));
  if (links.size <= 1) return [];
  return [
    {
      path: ["cluster", "vip"],
      problem: `${cluster.vip} moves between control planes of one VLAN only, and these tag their packets differently`,
      advice: "write the same vlan at all control planes, or use a load balancer as the endpoint",
      warning: true,
    },
  ];
};

export const valueChecks: Check[] = [
  oneAudit,
  hostsAreHosts,
  mirrorsAreOfRegistries,
  bondOptions,
  certificatesAreRead,
  endpointIsOrigin,
  vipIsMoved,
];
