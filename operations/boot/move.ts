import { setTimeout as sleep } from "node:timers/promises";

import { linkDocuments, resolverDocument } from "../../components/talos/documents/index.ts";
import { patchText } from "../../components/talos/machine-config.ts";
import type { HearthConfig } from "../../infra/config/index.ts";
import { hardware } from "../../infra/config/checks/machines.ts";
import { prefixLength } from "../../infra/config/ipv4.ts";
import { linkSettings } from "../../infra/links.ts";
import type { MachineState } from "../../lib/cluster/machine-state.ts";
import { Problem } from "../../toolchain/problem.ts";
import { requireMetal } from "./images.ts";

/** What is done with machines in maintenance mode. */
export interface Waiting {
  /** How a machine answers at an address; one of any cluster is foreign. */
  state: (address: string) => Promise<MachineState>;
  /** The hardware addresses of a machine, in capitals. */
  macs: (address: string) => Promise<string[]>;
  /** Gives a machine a configuration. Returns why it refused; the answer may be lost on the way to another address. */
  apply: (address: string, configuration: string) => Promise<string | undefined>;
}

/** How long a machine may take to answer at its node's address, and the time between looks, in milliseconds. */
export interface Timing {
  timeout: number;
  pause: number;
}

/**
 * Has a machine in maintenance mode leave the address that it has now for its node's. It gets the node's network settings, and nothing
 * else: Talos stays in maintenance mode while a configuration has no machine section, and keeps such a one in memory only.
 *
 * Source: siderolabs/talos v1.13.9, CompleteForBoot of pkg/machinery/config/container/container.go, and
 * internal/app/machined/pkg/controllers/config/acquire.go.
 *
 * @throws Problem if it is not known to be the node's machine, if something else has the address, or if it does not get there
 */
export const move = async (
  config: HearthConfig,
  { stack, name, at }: { stack: string; name: string; at: string },
  waiting: Waiting,
  { timeout, pause }: Timing = { timeout: 90_000, pause: 1000 },
): Promise<void> => {
  const { address, macs } = movable(config, stack, name);
  if (address === at) throw new Problem(`${at} is the address that nodes.${name} has: leave --at out`);
  await requireWaiting(at, waiting);
  const found = await waiting.macs(at);
  const lacking = macs.filter((mac) => !found.includes(mac));
  if (lacking.length > 0)
    throw new Problem(
      `The machine at ${at} is not that of nodes.${name}: it has no network card ${lacking.join(", ")}, but ${found.join(", ")}. ` +
        "Nothing was changed. Name the address of the right machine, or correct the node's mac",
    );
  if ((await waiting.state(address)) !== "silent")
    throw new Problem(
      `Something answers at ${address} already, the address of nodes.${name}: nothing was changed. Free the address, or give the node another one`,
    );
  const refusal = await waiting.apply(at, networkConfiguration(config, name));
  if (refusal !== undefined) throw new Problem(`The machine at ${at} refuses its network settings: ${refusal}`);
  const deadline = Date.now() + timeout;
  while ((await waiting.state(address)) !== "blank") {
    if (Date.now() > deadline)
      throw new Problem(
        `The machine took the network settings of nodes.${name}, but nothing answers at ${address} from here: compare network.subnet, ` +
          `network.gateway, and the node's vlan and bond with its network. Restart the machine, and it has its old address again`,
      );
    await sleep(pause);
  }
};

/** The configuration that gives a machine its node's network, and leaves it in maintenance mode. */
export const networkConfiguration = ({ network, nodes }: HearthConfig, name: string): string => {
  const node = nodes[name];
  if (!node) throw new Error(`There is no node ${name}`);
  const addressing = {
    address: node.address,
    prefixLength: prefixLength(network.subnet),
    gateway: network.gateway,
  };
  return [...linkDocuments(linkSettings(network, node), addressing), resolverDocument(network.nameservers)]
    .map(patchText)
    .join("---\n");
};

const movable = (config: HearthConfig, stack: string, name: string): { address: string; macs: string[] } => {
  requireMetal(config, stack, name);
  const node = config.nodes[name];
  if (!node || node.dhcp)
    throw new Problem(`nodes.${name}.dhcp has the network assign the address: reserve it at the DHCP server`);
  return { address: node.address, macs: hardware(node).map(({ mac }) => mac.toUpperCase()) };
};

const requireWaiting = async (at: string, { state }: Waiting): Promise<void> => {
  switch (await state(at)) {
    case "blank":
      return;
    case "silent":
      throw new Problem(`Nobody answers at ${at}: boot the machine, and take the address that its screen shows`);
    default:
      throw new Problem(
        `${at} runs Talos with a configuration already, and its own network settings: only a machine in maintenance mode is moved`,
      );
  }
};
