import type { Check } from "./check.ts";

const oddControlPlanes: Check = ({ nodes, complete }) => {
  const count = Object.values(nodes).filter(({ role }) => role === "controlplane").length;
  if (!complete || count % 2 === 1) return [];
  const problem =
    count === 0 ? "has no control plane" : `${count} control planes keep no better quorum than ${count - 1}`;
  return [{ path: ["nodes"], problem, advice: "have 1, 3 or 5 with role: controlplane" }];
};

const knownPlatform: Check = ({ nodes, proxmox, complete }) =>
  proxmox || !complete
    ? []
    : Object.entries(nodes)
        .filter(([, node]) => node.proxmox)
        .map(([name]) => ({
          path: ["nodes", name, "proxmox"],
          problem: "is a virtual machine, but hearth:proxmox does not say where its API is",
          advice: "add hearth:proxmox with endpoint, or leave this out for bare metal",
        }));

const usedPlatform: Check = ({ nodes, proxmox, complete }) =>
  proxmox && complete && Object.values(nodes).every((node) => !node.proxmox)
    ? [
        {
          path: ["proxmox"],
          problem: "is not used, for no node is a virtual machine",
          advice: "remove it, or give a node the key proxmox",
          warning: true,
        },
      ]
    : [];

/** Scheduling is off on every node where control planes refuse pods and nothing else is there. */
const somewhereToRun: Check = ({ cluster, nodes, complete }) =>
  complete && cluster?.scheduleOnControlPlanes === false && Object.values(nodes).every(({ role }) => role !== "worker")
    ? [
        {
          path: ["cluster", "scheduleOnControlPlanes"],
          problem: "false leaves no node where pods may run",
          advice: "leave it out, or add a node with role: worker",
        },
      ]
    : [];

export const nodeChecks: Check[] = [oddControlPlanes, knownPlatform, usedPlatform, somewhereToRun];
