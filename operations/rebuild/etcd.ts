import type { Talosctl } from "../../lib/cluster/talosctl.ts";
import type { FoundMachine } from "./plan.ts";

/** How long a machine may take to say how its etcd is, in milliseconds. */
const answerTimeout = 15_000;

/** Whether a service has begun, of what `talosctl service` prints: without data etcd stays in preparation until its bootstrap. */
export const hasBegun = (printed: string): boolean => /^STATE\s+(Running|Finished|Failed|Stopping)\b/m.test(printed);

/**
 * Whether a member of etcd knows a leader, of the table that `talosctl etcd status` prints; undefined where it does not say.
 *
 * Source: talos, cmd/talosctl/cmd/talos/etcd.go and pkg/machinery/resources/etcd, FormatMemberID; v1.13.
 */
export const knowsLeader = (table: string): boolean | undefined => {
  const [, leader] = table.split("\n")[1]?.match(/(?<=\s)[0-9a-f]{16}(?=\s)/g) ?? [];
  return leader === undefined ? undefined : !/^0+$/.test(leader);
};

/** Asks a control plane that is a member of the cluster about its etcd. */
export const askEtcd = async (talos: Talosctl, address: string, machine: FoundMachine): Promise<FoundMachine> => {
  const once = (args: string[]) => talos.once(address, args, answerTimeout).catch(() => undefined);
  if (machine.hasEtcd) return { ...machine, hasLeader: knowsLeader((await once(["etcd", "status"])) ?? "") };
  const printed = await once(["service", "etcd"]);
  // It listens only once it is of a majority, and it had minutes for that.
  return printed !== undefined && hasBegun(printed) ? { ...machine, hasEtcd: true, hasLeader: false } : machine;
};
