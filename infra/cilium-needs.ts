import type { CiliumNeeds } from "../components/network/cilium-values.ts";
import { kernelName } from "../components/talos/documents/links.ts";
import type { HearthConfig } from "./config/index.ts";

/** What a stack needs of Cilium. */
export const ciliumNeeds = ({ network, nodes }: Pick<HearthConfig, "network" | "nodes">): CiliumNeeds => ({
  announcement: network.announce.mode,
  gatewayApi: network.gatewayApi !== undefined,
  ipv6: network.ipv6 !== undefined,
  encryption: network.encryption.type,
  links: Object.values(nodes).flatMap((node) => kernelName(node) ?? []),
});
