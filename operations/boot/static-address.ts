import type { HearthConfig } from "../../infra/config/index.ts";
import { prefixLength, toAddress } from "../../infra/config/ipv4.ts";
import { Problem } from "../../toolchain/problem.ts";

type Node = HearthConfig["nodes"][string];

/**
 * Kernel arguments that give a machine its address before it has a configuration: on the link with the node's hardware address, by the
 * name that every link has beside its own.
 *
 * Source: siderolabs/talos v1.13.9, internal/app/machined/pkg/controllers/network/cmdline.go; hack/udevd/99-default.link.
 *
 * @throws Problem where a machine needs more than an address on a link to be reached
 */
export const staticAddress = (
  name: string,
  node: Node,
  { subnet, gateway, nameservers }: HearthConfig["network"],
): string[] => {
  const instead = "let the network's DHCP server reserve its address, and leave --static out";
  if (node.dhcp) throw new Problem(`nodes.${name}.dhcp has the network assign the address for ever: ${instead}`);
  if (node.vlan !== undefined || node.bond !== undefined) {
    const key = node.vlan === undefined ? "bond" : "vlan";
    throw new Problem(
      `nodes.${name}.${key}: an image for --static has the address on the first link itself, where nothing would reach it: ${instead}`,
    );
  }
  const link = `enx${node.mac.replaceAll(":", "").toLowerCase()}`;
  const [first = "", second = ""] = nameservers.filter((each) => !each.includes(":"));
  return [
    ["ip=" + node.address, "", gateway, netmask(subnet), "", link, "off", first, second].join(":").replace(/:+$/, ""),
  ];
};

const netmask = (subnet: string): string => toAddress(2 ** 32 - 2 ** (32 - prefixLength(subnet)));
