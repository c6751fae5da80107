import * as proxmox from "@pulumi/proxmoxve";

import { ProxmoxMachines } from "../../../components/machines/proxmox.ts";
import { prefixLength } from "../../config/ipv4.ts";
import type { Maker, Order } from "../maker.ts";
import type { ProxmoxNode } from "./index.ts";

/** Creates virtual machines, each on the host that its node names. */
export const proxmoxMachines: Maker<ProxmoxNode> = ({ config, nodes, secret, imageProfiles, factsOf }) => {
  if (!config.proxmox || Object.keys(nodes).length === 0) return {};
  const { endpoint, insecure, ...settings } = config.proxmox;
  const machines = Object.entries(nodes).map(([name, node]) => [name, { ...node.proxmox, facts: factsOf(node) }]);
  return new ProxmoxMachines(
    "machines",
    {
      ...config.network,
      ...settings,
      cluster: config.cluster.name,
      watchdog: config.cluster.watchdog !== undefined,
      machines: Object.fromEntries(machines) as ConstructorParameters<typeof ProxmoxMachines>[1]["machines"],
      talos: config.cluster.talos,
      imageProfiles,
      prefixLength: prefixLength(config.network.subnet),
      tags: ["hearth", config.cluster.name, ...settings.tags],
    },
    { provider: new proxmox.Provider("proxmox", { endpoint, insecure, ...credentials(secret) }) },
  ).machines;
};

/** Given both, the provider would use the token. Source: bpg/terraform-provider-proxmox v0.111.1, proxmox/api/credentials.go. */
const credentials = (secret: Order["secret"]) => {
  const password = secret("proxmoxPassword");
  return password ? { username: "root@pam", password } : { apiToken: secret("proxmoxToken") };
};
