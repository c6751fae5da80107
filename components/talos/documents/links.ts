import { documentOf, type TalosDocument } from "./document.ts";

/** How a machine is connected to its networks. */
export interface LinkSettings extends Hardware {
  /** Hardware address of the machine's first link. */
  mac: string;
  /** Connections to further networks, by the network's name. */
  further?: Record<string, FurtherLink>;
}

/** A connection to a further network: hardware of its own or, without `mac`, a VLAN on the machine's first link or bond. */
export type FurtherLink = Hardware & { mac?: string | undefined };

/** What a link is made of, and what is set on its top. */
interface Hardware {
  /** Whether the network's DHCP server assigns the address. Otherwise the machine sets it itself. */
  dhcp: boolean;
  /** Tag of the VLAN that the machine itself adds, 1 to 4094. */
  vlan?: number | undefined;
  bond?: BondSettings | undefined;
  /** MTU in bytes. @default the link's own */
  mtu?: number | undefined;
  /** Addresses with the length of their network's prefix; on the first link, in addition to the machine's own. */
  addresses?: string[];
  routes?: Route[];
}

/** A bond: several links that act as one. */
export interface BondSettings {
  mode: "802.3ad" | "active-backup" | "balance-alb" | "balance-rr" | "balance-tlb" | "balance-xor" | "broadcast";
  /** Hardware addresses of the bond's links, except the first. */
  macs: string[];
  /** @example "layer3+4" */
  xmitHashPolicy?: string | undefined;
  lacpRate?: "slow" | "fast" | undefined;
}

/** A way to addresses outside of a link's own network. */
export interface Route {
  /** Range of the addresses. @default all of the gateway's family */
  to?: string | undefined;
  /** Address of the router. */
  via: string;
  /** Of two routes the one with the lower metric is used. @default 1024 */
  metric?: number | undefined;
}

/** An address in a network, and the network's gateway. */
export interface Addressing {
  address: string;
  prefixLength: number;
  gateway: string;
}

/** How the parts of a link are named. Aliases are stable. The kernel's own names for links can change with a new release. */
interface Names {
  alias: (index: number) => string;
  bond: string;
}

const ownNames: Names = { alias: (index) => `net${index}`, bond: "bond0" };

/** A further link has the name of its network, as an alias or as a bond of numbered aliases. */
const namesOf = (network: string, { bond }: Pick<Hardware, "bond">): Names => ({
  alias: (index) => (bond ? `${network}${index}` : network),
  bond: network,
});

const baseOf = ({ bond }: Pick<Hardware, "bond">, names: Names): string => (bond ? names.bond : names.alias(0));

const withTag = (base: string, vlan: number | undefined): string => (vlan === undefined ? base : `${base}.${vlan}`);

/** Name of the link that carries the machine's address: the alias of its first link, its bond, or the VLAN on top of either. */
export const topLink = ({ bond, vlan }: Pick<LinkSettings, "bond" | "vlan">): string =>
  withTag(baseOf({ bond }, ownNames), vlan);

/**
 * The name that the kernel gives the top link; undefined for hardware, whose name is the kernel's own, such as `enp1s0`.
 *
 * An alias is not a name: Talos sets the kernel's IFLA_IFALIAS. Source: siderolabs/talos v1.13.9, link_alias_spec.go.
 */
export const kernelName = (link: Pick<LinkSettings, "bond" | "vlan">): string | undefined =>
  link.bond || link.vlan !== undefined ? topLink(link) : undefined;

/** Renders the documents of a machine's links, starting with the hardware of the first. */
export const linkDocuments = (link: LinkSettings, { address, prefixLength, gateway }: Addressing): TalosDocument[] => {
  const { dhcp, addresses = [], routes = [], further = {} } = link;
  const settings = dhcp
    ? { addresses, routes }
    : { addresses: [`${address}/${prefixLength}`, ...addresses], routes: [{ via: gateway }, ...routes] };
  return [
    ...layers(ownNames, link, settings),
    ...(dhcp ? [dhcpDocument(topLink(link))] : []),
    ...Object.entries(further).flatMap(([network, each]) => furtherDocuments(network, each, link)),
  ];
};

/** The address that control planes share. One of them answers at a time. */
export const vipDocument = (vip: string, link: LinkSettings): TalosDocument =>
  documentOf("Layer2VIPConfig", { name: vip, link: topLink(link) });

interface Settings {
  addresses?: string[] | undefined;
  routes?: Route[] | undefined;
}

/** The layers of a link with hardware of its own: aliases, perhaps a bond, perhaps a VLAN. The top one has the addresses. */
const layers = (names: Names, link: Hardware & { mac: string }, settings: Settings): TalosDocument[] => {
  const { mac, bond, vlan, mtu } = link;
  const base = baseOf(link, names);
  const top = topFields(mtu, settings);
  // A link that carries a VLAN has no address of its own, but has to be up.
  const fields = vlan === undefined ? top : { up: true, mtu };
  return [
    ...[mac, ...(bond?.macs ?? [])].map((each, index) => linkAliasDocument(names.alias(index), each)),
    bond ? bondDocument(names, bond, fields) : documentOf("LinkConfig", { name: base, ...fields }),
    ...(vlan === undefined ? [] : [vlanDocument(base, vlan, top)]),
  ];
};

const furtherDocuments = (network: string, further: FurtherLink, own: LinkSettings): TalosDocument[] => {
  const { mac, vlan, mtu } = further;
  const names = mac === undefined ? ownNames : namesOf(network, further);
  const base = mac === undefined ? baseOf(own, ownNames) : baseOf(further, names);
  return [
    ...(mac === undefined
      ? [vlanDocument(base, vlan ?? 0, topFields(mtu, further))]
      : layers(names, { ...further, mac }, further)),
    // The routes of the machine's own network come first.
    ...(further.dhcp ? [dhcpDocument(withTag(base, vlan), 2048)] : []),
  ];
};

const dhcpDocument = (name: string, routeMetric?: number): TalosDocument =>
  documentOf("DHCPv4Config", { name, routeMetric, ignoreHostname: true });

const linkAliasDocument = (name: string, mac: string): TalosDocument =>
  documentOf("LinkAliasConfig", {
    name,
    selector: { match: `mac(link.permanent_addr) == "${mac.toLowerCase()}"` },
  });

const vlanDocument = (parent: string, vlan: number, fields: Record<string, unknown>): TalosDocument =>
  documentOf("VLANConfig", { name: withTag(parent, vlan), vlanID: vlan, parent, ...fields });

const bondDocument = (
  names: Names,
  { mode, macs, xmitHashPolicy, lacpRate }: BondSettings,
  fields: Record<string, unknown>,
): TalosDocument =>
  documentOf("BondConfig", {
    name: names.bond,
    links: [names.alias(0), ...macs.map((_, index) => names.alias(index + 1))],
    bondMode: mode,
    // Milliseconds between checks of each link. Without them a failed link is never noticed.
    miimon: 100,
    // With LACP a link is used, and given up, after two checks: Talos warns of none.
    ...(mode === "802.3ad" && { updelay: 200, downdelay: 200 }),
    xmitHashPolicy,
    lacpRate,
    ...fields,
  });

const topFields = (mtu: number | undefined, { addresses = [], routes = [] }: Settings) => ({
  up: true,
  mtu,
  ...(addresses.length > 0 && { addresses: addresses.map((address) => ({ address })) }),
  ...(routes.length > 0 && { routes: routes.map(routeFields) }),
});

const routeFields = ({ to, via, metric }: Route) => ({
  ...(to !== undefined && { destination: to }),
  gateway: via,
  ...(metric !== undefined && { metric }),
});
