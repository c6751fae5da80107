import * as ipv4 from "./ipv4.ts";
import * as ipv6 from "./ipv6.ts";

/** Whether an address or a range is of IPv6. */
export const isIpv6 = (text: string): boolean => text.includes(":");

/** Whether two addresses or ranges are of one family. */
export const sameFamily = (a: string, b: string): boolean => isIpv6(a) === isIpv6(b);

/** Whether the outer range contains every address of the inner one. Those of another family are outside. */
export const contains = (outer: string, inner: string): boolean =>
  sameFamily(outer, inner) && (isIpv6(outer) ? ipv6 : ipv4).contains(outer, inner);

/** Whether two ranges have an address in common. */
export const overlap = (a: string, b: string): boolean => sameFamily(a, b) && (isIpv6(a) ? ipv6 : ipv4).overlap(a, b);

/** Returns a CIDR without host bits, as routers write it. */
export const canonical = (cidr: string): string => (isIpv6(cidr) ? ipv6 : ipv4).canonical(cidr);

/** Whether a host of the subnet may have the address. */
export const isHost = (subnet: string, address: string): boolean =>
  sameFamily(subnet, address) && (isIpv6(subnet) ? ipv6 : ipv4).isHost(subnet, address);
