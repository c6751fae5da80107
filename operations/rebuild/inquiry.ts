import type { ClientConfiguration } from "@pulumi/talos";

import type { HearthConfig } from "../../infra/config/index.ts";
import { Talosctl } from "../../lib/cluster/talosctl.ts";
import { askEtcd } from "./etcd.ts";
import { lookAtMachines } from "../../lib/recovery/examine.ts";
import { unmadeBy, type Situation } from "../../lib/recovery/plan.ts";
import { virtualMachine, type AskProxmox } from "../../lib/cluster/proxmox.ts";
import { answers, describeRoute } from "./route.ts";
import { lookUntilKnown, silentOf, withDeclaredLost, type Machines } from "./silent.ts";

export interface Inquiry {
  config: HearthConfig;
  /** Certificate of the cluster's Talos authority, PEM. */
  authority: string;
  /** The administrator's certificate, for talosctl. */
  client: ClientConfiguration | undefined;
  talosctl: string;
  /** Proxmox's API; undefined if the stack has none. */
  proxmox: AskProxmox | undefined;
  /** Machines that the user declares lost. */
  lost: readonly string[];
  /** What an interrupted update did not create, so that the rebuild does not wait for it. */
  unmade: Situation["unmade"];
  /** How long to keep asking silent machines, in milliseconds. */
  timeout: number;
  say: (names: string[], elapsed: number) => void;
  signal: AbortSignal;
}

/** Examines every machine: asks the machine, Proxmox and etcd, and checks the route to it. */
export const inquire = async (inquiry: Inquiry): Promise<Machines> => {
  const { config, authority, lost, unmade, timeout, say, signal } = inquiry;
  const look = async (): Promise<Machines> =>
    askedOfProxmox(withDeclaredLost(await lookAtMachines(config, authority), lost), inquiry);
  const isMade = (name: string, found: Machines): boolean => {
    const there = unmadeBy(unmade, found);
    return !there?.cluster && !there?.machines.includes(name);
  };
  const machines = await lookUntilKnown({ look, isAwaited: isMade, timeout, say, signal });
  return withRoute(await askedOfEtcd(machines, inquiry), config);
};

const askedOfProxmox = async (machines: Machines, { config, proxmox }: Inquiry): Promise<Machines> => {
  const changed = { ...machines };
  for (const name of silentOf(machines)) {
    const [machine, node] = [machines[name], config.nodes[name]];
    if (!machine || node?.platform !== "proxmox" || !proxmox) continue;
    const vm = node.proxmox;
    const found = await virtualMachine(proxmox, vm.host, vm.vmId);
    const number = vm.vmId.toString();
    if (found.is === "absent") changed[name] = { ...machine, state: "absent" };
    else if (found.is === "there") {
      changed[name] = { ...machine, asked: [`Proxmox: VM ${number} exists and is ${found.status} on ${found.host}`] };
    } else changed[name] = { ...machine, asked: [`Proxmox: VM ${number} is unknown, for it ${found.why}`] };
  }
  return changed;
};

/** Asks every control plane that answers as a member for the state of its etcd. */
export const askedOfEtcd = async (
  machines: Machines,
  { config, client, talosctl }: Pick<Inquiry, "config" | "client" | "talosctl">,
): Promise<Machines> => {
  if (client === undefined) return machines;
  const talos = new Talosctl(talosctl, client);
  const looked = Object.entries(machines).map(async ([name, machine]) => {
    const address = config.nodes[name]?.address;
    const isMember = machine.role === "controlplane" && machine.state === "member" && address !== undefined;
    return [name, isMember ? await askEtcd(talos, address, machine) : machine] as const;
  });
  return Object.fromEntries(await Promise.all(looked));
};

const withRoute = async (machines: Machines, { network: { gateway } }: HearthConfig): Promise<Machines> => {
  const silent = silentOf(machines);
  if (silent.length === 0) return machines;
  const others = Object.keys(machines).filter((name) => ["member", "blank"].includes(machines[name]?.state ?? ""));
  const route = describeRoute(gateway, { isThere: await answers(gateway), others });
  const told = silent.flatMap((name) => {
    const machine = machines[name];
    return machine ? [[name, { ...machine, asked: [...(machine.asked ?? []), route] }] as const] : [];
  });
  return { ...machines, ...Object.fromEntries(told) };
};
