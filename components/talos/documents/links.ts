import { documentOf, type TalosDocument } from "./document.ts";

/** How a machine is connected to its network. */
export interface LinkSettings {
  /** Hardware address of the machine's first link. */
  mac: string;
  /** Whether the network's DHCP server assigns the address. Otherwise the machine sets it itself. */
  dhcp: boolean;
  /** Tag of the VLAN that the machine itself adds, 1 to 4094. */
  vlan?: number | undefined;
  bond?: BondSettings | undefined;
  /** MTU in bytes. @default the link's own */
  mtu?: number | undefined;
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

/** An address in a network, and the network's gateway. */
export interface Addressing {
  address: string;
  prefixLength: number;
  gateway: string;
}

/** Name of the link that carries the machine's address: the alias of its first link, its bond, or the VLAN on top of either. */
export const topLink = ({ bond, vlan }: Pick<LinkSettings, "bond" | "vlan">): string => {
  const base = bond ? "bond0" : alias(0);
  return vlan === undefined ? base : `${base}.${vlan}`;
};

/**
 * The name that the kernel gives the top link; undefined for hardware, whose name is the kernel's own, such as `enp1s0`.
 *
 * An alias is not a name: Talos sets the kernel's IFLA_IFALIAS. Source: siderolabs/talos v1.13.9, link_alias_spec.go.
 */
export const kernelName = (link: Pick<LinkSettings, "bond" | "vlan">): string | undefined =>
  link.bond || link.vlan !== undefined ? topLink(link) : undefined;

/** Renders the documents of a machine's links, starting with the hardware. */
export const linkDocuments = (link: LinkSettings, addressing: Addressing): TalosDocument[] => {
  const { mac, bond, vlan } = link;
  const addresses = addressFields(link, addressing);
  // A link that carries a VLAN has no address of its own, but has to be up.
  const base = vlan === undefined ? addresses : { up: true, mtu: link.mtu };
  return [
    ...[mac, ...(bond?.macs ?? [])].map(linkAliasDocument),
    bond ? bondDocument(bond, base) : documentOf("LinkConfig", { name: alias(0), ...base }),
    ...(vlan === undefined
      ? []
      : [documentOf("VLANConfig", { name: topLink(link), vlanID: vlan, parent: topLink({ bond }), ...addresses })]),
    ...(link.dhcp ? [documentOf("DHCPv4Config", { name: topLink(link), ignoreHostname: true })] : []),
  ];
};

/** The address that control planes share. One of them answers at a time. */
export const vipDocument = (vip: string, link: LinkSettings): TalosDocument =>
  documentOf("Layer2VIPConfig", { name: vip, link: topLink(link) });

/** Aliases are stable. The kernel's own names for links can change with a new release. */
const alias = (index: number): string => `net${index}`;

const linkAliasDocument = (mac: string, index: number): TalosDocument =>
  documentOf("LinkAliasConfig", {
    name: alias(index),
    selector: { match: `mac(link.permanent_addr) == "${mac.toLowerCase()}"` },
  });

const bondDocument = ({ mode, macs, xmitHashPolicy, lacpRate }: BondSettings, fields: Record<string, unknown>) =>
  documentOf("BondConfig", {
    name: topLink({ bond: { mode, macs } }),
    links: [alias(0), ...macs.map((_, index) => alias(index + 1))],
    bondMode: mode,
    // Milliseconds between checks of each link. Without them a failed link is never noticed.
    miimon: 100,
    xmitHashPolicy,
    lacpRate,
    ...fields,
  });

const addressFields = ({ dhcp, mtu }: LinkSettings, { address, prefixLength, gateway }: Addressing) => ({
  up: true,
  mtu,
  ...(dhcp ? {} : { addresses: [{ address: `${address}/${prefixLength}` }], routes: [{ gateway }] }),
});
