import type { ProxmoxMachine } from "./vm.ts";

/**
 * Returns the names of the control planes that Proxmox has to keep on different hosts.
 *
 * Proxmox refuses a rule for fewer than two machines, and one for more machines than it has hosts.
 *
 * @param hosts the known hosts of the Proxmox cluster
 */
export const apartMachines = (machines: Record<string, ProxmoxMachine>, hosts: string[]): string[] => {
  const controlPlanes = Object.entries(machines).filter(([, { facts }]) => facts.role === "controlplane");
  const known = new Set([...hosts, ...Object.values(machines).map(({ host }) => host)]);
  return controlPlanes.length >= 2 && controlPlanes.length <= known.size
    ? controlPlanes.map(([name]) => name).sort()
    : [];
};
