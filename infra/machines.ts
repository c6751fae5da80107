import * as proxmox from "@pulumi/proxmoxve";
import type * as pulumi from "@pulumi/pulumi";

import type { Machine, MachineFacts } from "../components/machines/machine.ts";
import { metalMachine } from "../components/machines/metal.ts";
import { ProxmoxMachines } from "../components/machines/proxmox.ts";
import type { ProxmoxMachine } from "../components/machines/vm.ts";
import { schematicId } from "../components/talos/schematic.ts";
import { machinesThatMayGo, today } from "./config/policy.ts";
import type { HearthConfig, NodeConfig } from "./config/index.ts";
import { prefixLength } from "./config/ipv4.ts";

/** The machines of all platforms, by the name of their node. */
export const bootMachines = (
  config: HearthConfig,
  { proxmoxToken }: { proxmoxToken: pulumi.Output<string> | undefined },
): Record<string, Machine> => ({ ...metalMachines(config), ...virtualMachines(config, proxmoxToken) });

const metalMachines = (config: HearthConfig): Record<string, Machine> =>
  Object.fromEntries(
    Object.entries(config.nodes)
      .filter(([, node]) => !node.proxmox)
      .map(([name, node]) => [name, metalMachine(machineFacts(config, node))]),
  );

const virtualMachines = (
  config: HearthConfig,
  apiToken: pulumi.Output<string> | undefined,
): Record<string, Machine> => {
  const machines = Object.entries(config.nodes).flatMap(([name, node]): [string, ProxmoxMachine][] =>
    node.proxmox ? [[name, { ...node.proxmox, facts: machineFacts(config, node) }]] : [],
  );
  if (!config.proxmox || machines.length === 0) return {};
  const { endpoint, insecure, ...platform } = config.proxmox;
  return new ProxmoxMachines(
    "machines",
    {
      ...config.network,
      ...platform,
      cluster: config.cluster.name,
      machines: Object.fromEntries(machines),
      talos: config.cluster.talos,
      unprotected: machinesThatMayGo(config.policy, today()),
      prefixLength: prefixLength(config.network.subnet),
      tags: ["hearth", config.cluster.name, ...platform.tags],
    },
    { provider: new proxmox.Provider("proxmox", { endpoint, insecure, apiToken }) },
  ).machines;
};

/** What a machine is, from its node, its image profile and what all machines of the cluster are. */
export const machineFacts = ({ cluster, images }: HearthConfig, node: NodeConfig): MachineFacts => {
  const image = images[node.image];
  if (!image) throw new Error(`nodes: ${node.image} is not a profile under images`);
  const { role, address, labels, annotations, taints, sysctls, volumes, ephemeral, patches } = node;
  const { mac, dhcp, vlan, bond, mtu } = node;
  return {
    ...{ role, address, labels, annotations, taints, sysctls, volumes, ephemeral, patches },
    link: { mac, dhcp, vlan, bond, mtu },
    install: node.diskSelector ? { diskSelector: node.diskSelector } : { disk: node.installDisk ?? "" },
    encryption: node.diskEncryption ?? cluster.diskEncryption,
    secureBoot: node.secureBoot ?? cluster.secureBoot,
    schematic: schematicId(image),
    kernelModules: image.kernelModules,
  };
};
