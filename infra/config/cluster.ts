import { z } from "zod";

import { address, cidr, httpsUrl, minor, name, release } from "./values.ts";

export const clusterSchema = z.strictObject({
  name,
  /** URL of the Kubernetes API that nodes and people use. */
  endpoint: httpsUrl("https://10.20.0.10:6443"),
  /** Address that the control planes share. */
  vip: address.optional(),
  talos: release,
  kubernetes: release,
  /** Talos minor that the cluster was created with; it never goes down. */
  contract: minor,
  podCidr: cidr,
  serviceCidr: cidr,
  /** @default true when there are no workers */
  scheduleOnControlPlanes: z.boolean().optional(),
});
