import { createSocket } from "node:dgram";

import type { HearthConfig } from "../../infra/config/index.ts";
import { contains } from "../../infra/config/ip.ts";
import { isLab } from "../../infra/config/lab.ts";
import type { Subject } from "./doctor.ts";
import { fine, known, notAsked, problem, type Finding, type Known } from "./finding.ts";

const check = "firewall of the machines";

/**
 * Finds a firewall that lets in nobody from here. Every machine would have it at once.
 *
 * @param own this computer's address on the way to the machines
 */
export const firewallFindings = ({ cluster, network }: HearthConfig, own: Known<string>): Finding[] => {
  const { firewall, subnet } = network;
  if (!firewall) return [];
  if ("why" in own) return [notAsked(check, `this computer's address on the way to the machines: ${own.why}`)];
  // Hearth may run in a pod, too.
  const isLetIn = [...firewall.administrators, subnet, cluster.podCidr].some((range) => contains(range, own.value));
  return isLetIn
    ? [fine(check, `lets in ${own.value}, this computer`)]
    : [
        problem(
          check,
          `does not let in ${own.value}, this computer: with it, nobody here reaches the machines`,
          "add its range to network.firewall.administrators, unless a router on the way gives it an address that is in there",
        ),
      ];
};

/** Nothing is sent: the kernel only chooses a route. */
const addressTowards = (machine: string): Promise<Known<string>> =>
  known(
    () =>
      new Promise<string>((resolve, reject) => {
        const socket = createSocket("udp4");
        socket.once("error", (error) => {
          socket.close();
          reject(error);
        });
        socket.connect(50_000, machine, () => {
          const { address } = socket.address();
          socket.close();
          resolve(address);
        });
      }),
  );

/** The machines' firewall, as this computer would meet it. A lab's machines have none. */
export const firewall: Subject = {
  name: "firewall",
  examine: async ({ config }) => {
    const [node] = Object.values(config.nodes);
    if (!config.network.firewall || isLab(config.network) || node === undefined) return [];
    return firewallFindings(config, await addressTowards(node.address));
  },
};
