import type { FurtherLink, LinkSettings } from "../components/talos/documents/links.ts";
import type { HearthConfig } from "./config/index.ts";
import { prefixLength } from "./config/ipv4.ts";
import type { CommonNode, LinkConfig } from "./config/nodes.ts";

/** Combines a node's links with what its networks say of them. */
export const linkSettings = (network: HearthConfig["network"], node: CommonNode): LinkSettings => {
  const { mac, dhcp, vlan, bond, mtu, address6, addresses, routes, links } = node;
  return {
    mac,
    dhcp,
    vlan,
    bond,
    mtu,
    addresses: [
      ...(address6 !== undefined && network.ipv6 ? [`${address6}/${prefixLength(network.ipv6.subnet)}`] : []),
      ...addresses,
    ],
    routes: [...(network.ipv6?.gateway === undefined ? [] : [{ via: network.ipv6.gateway }]), ...routes],
    further: Object.fromEntries(Object.entries(links).map(([name, link]) => [name, furtherLink(network, name, link)])),
  };
};

const furtherLink = ({ networks }: HearthConfig["network"], name: string, link: LinkConfig): FurtherLink => {
  const network = networks[name];
  if (!network) throw new Error(`links: ${name} is not a network under network.networks`);
  const { mac, address, address6, dhcp, bond, routes } = link;
  return {
    mac,
    dhcp,
    bond,
    routes,
    vlan: link.vlan ?? network.vlan,
    mtu: link.mtu ?? network.mtu,
    addresses: [
      ...(address === undefined ? [] : [`${address}/${prefixLength(network.subnet)}`]),
      ...(address6 === undefined || network.subnet6 === undefined
        ? []
        : [`${address6}/${prefixLength(network.subnet6)}`]),
    ],
  };
};
