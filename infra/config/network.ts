import { z } from "zod";

import { says } from "./error.ts";
import { address, cidr, name, release } from "./values.ts";

const atLeastOne = says("is empty", "name at least one");

/** An autonomous system number. 0, 23456 and the last of 16 and 32 bits are reserved (RFC 7607, 6793, 7300). */
const asn = z
  .int(says("is not a number of an autonomous system", "write one such as 64512"))
  .min(1, says("is not a number of an autonomous system", "write one such as 64512"))
  .max(4_294_967_294, says("is not a number of an autonomous system", "write one such as 64512"))
  .refine((value) => value !== 23456 && value !== 65535, {
    error: says("is a reserved number", "use a private one, from 64512 to 65534"),
  });

const announcement = z.discriminatedUnion(
  "mode",
  [
    z.strictObject({
      /** Machines answer ARP requests for the addresses in their own network segment. */
      mode: z.literal("l2"),
      /** Regular expressions of the links to answer on. @default every link that Cilium manages */
      interfaces: z.array(z.string().min(1, says("is empty", "write one such as ^eth0$"))).default([]),
    }),
    z.strictObject({
      /** Machines announce the addresses to routers. */
      mode: z.literal("bgp"),
      /** Number of the cluster's autonomous system. */
      asn,
      /** Routers that learn the addresses. */
      peers: z
        .array(
          z.strictObject({
            /** Name of the router in Cilium's resources. */
            name,
            /** Address of the router. @example "10.30.0.1" */
            address,
            /** Number of the router's autonomous system. @example 64512 */
            asn,
          }),
        )
        .min(1, atLeastOne),
    }),
  ],
  { error: says("is not a way of announcing addresses", "write mode: l2, or mode: bgp with asn and peers") },
);

export const networkSchema = z.strictObject({
  /** Subnet that machines are in. @example "10.20.0.0/24" */
  subnet: cidr,
  /** Router of the subnet. @example "10.20.0.1" */
  gateway: address,
  /** DNS servers of machines. @example ["10.20.0.1"] */
  nameservers: z.array(address).min(1, atLeastOne),
  /** NTP servers of machines. @example ["time.cloudflare.com"] */
  timeServers: z.array(z.string()).min(1, atLeastOne),
  /** Range that Cilium assigns to Services of type LoadBalancer. @example "10.20.0.192/26" */
  loadBalancers: cidr,
  /**
   * Range that the network's DHCP server gives out, first and last address. It has no effect but that fixed addresses in it are refused.
   *
   * @default none
   * @example "10.20.0.100-10.20.0.180"
   */
  dhcpRange: z
    .string()
    .refine(
      (value) => value.split("-").length === 2 && value.split("-").every((end) => address.safeParse(end).success),
      says("is not a range of addresses", "write the first and the last, such as 10.20.0.100-10.20.0.180"),
    )
    .optional(),
  /** How the network learns that range. @default by L2 on every link */
  announce: announcement.default({ mode: "l2", interfaces: [] }),
  /** Release of the Gateway API whose CRDs Talos installs before Cilium starts. @default none */
  gatewayApi: release.optional(),
});
