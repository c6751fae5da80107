import { z } from "zod";

import { says } from "./error.ts";
import { address, cidr } from "./values.ts";

const atLeastOne = says("is empty", "name at least one");

export const networkSchema = z.strictObject({
  subnet: cidr,
  gateway: address,
  nameservers: z.array(address).min(1, atLeastOne),
  timeServers: z.array(z.string()).min(1, atLeastOne),
  /** Range that Cilium gives to Services of type LoadBalancer. */
  loadBalancers: cidr,
});
