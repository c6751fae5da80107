import { documentOf, type TalosDocument } from "./document.ts";

/** How a machine is wired to its network. */
export interface LinkSettings {
  /** Hardware address of its first link. */
  mac: string;
  /** The network's DHCP server hands out the address; otherwise it is fixed. */
  dhcp: boolean;
  /** Tag of the VLAN that the machine itself adds, 1 to 4094. */
  vlan?: number | undefined;
  bond?: BondSettings | undefined;
  /** Largest packet, in bytes. @default what the link has */
  mtu?: number | undefined;
}

/** Several links as one. */
export interface BondSettings {
  mode: "802.3ad" | "active-backup" | "balance-alb" | "balance-rr" | "balance-tlb" | "balance-xor" | "broadcast";
  /** Hardware addresses of its links beside the first. */
  macs: string[];
  /** @example "layer3+4" */
  xmitHashPolicy?: string | undefined;
  lacpRate?: "slow" | "fast" | undefined;
}

/** An address in a network with a way out of it. */
export interface Addressing {
  address: string;
  prefixLength: number;
  gateway: string;
}

/** Name of the link that carries the machine's address: the alias of its hardware address, its bond, or its VLAN on that. */
export const topLink = ({ bond, vlan }: Pick<LinkSettings, "bond" | "vlan">): string => {
  const base = bond ? "bond0" : alias(0);
  return vlan === undefined ? base : `${base}.${vlan}`;
};

/** The documents of a machine's links, from the hardware up. */
export const linkDocuments = (link: LinkSettings, addressing: Addressing): TalosDocument[] => {
  const { mac, bond, vlan } = link;
  const addresses = addressFields(link, addressing);
  // What carries a VLAN has no address of its own, only to be up.
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

/** The address that control planes share; one of them answers for it at a time. */
export const vipDocument = (vip: string, link: LinkSettings): TalosDocument =>
  documentOf("Layer2VIPConfig", { name: vip, link: topLink(link) });

/** Talos's names for links come from the kernel, which names them differently from one release to the next. */
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
    // Milliseconds between looks at whether a link is up; without it a dead link is never noticed.
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
