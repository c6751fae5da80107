import type { Talosctl } from "../../lib/cluster/talosctl.ts";
import type { FoundMachine } from "../../lib/recovery/plan.ts";

/** How long a machine may take to say how its etcd is, in milliseconds. */
const answerTimeout = 15_000;

/** Whether a service runs, of what `talosctl service` prints. */
const isRunning = (printed: string): boolean => /^STATE\s+Running\b/m.test(printed);

/**
 * Whether etcd's folder has data, of what `talosctl list` prints of it; undefined where it does not say.
 *
 * Source: talos, cmd/talosctl/cmd/talos/list.go and pkg/archiver/walker.go, which names the folder itself `.`; v1.13.
 */
const hasData = (printed: string | undefined): boolean | undefined => {
  const names = printed?.split("\n").map((line) => line.trim()) ?? [];
  if (!names.includes(".")) return undefined;
  return names.some((name) => name !== "" && name !== ".");
};

/**
 * Whether a member of etcd knows a leader, of what `talosctl etcd status` says: a table, or etcd's own refusal of calls that want a
 * leader; undefined where it says neither.
 *
 * Source: talos, cmd/talosctl/cmd/talos/etcd.go and pkg/machinery/resources/etcd, FormatMemberID, v1.13; etcd, ErrGRPCNoLeader, v3.6.
 */
export const knowsLeader = (said: string): boolean | undefined => {
  if (said.includes("etcdserver: no leader")) return false;
  const [, leader] = said.split("\n")[1]?.match(/(?<=\s)[0-9a-f]{16}(?=\s)/g) ?? [];
  return leader === undefined ? undefined : !/^0+$/.test(leader);
};

/**
 * Asks a control plane that is a member of the cluster about its etcd.
 *
 * etcd prepares while it pulls its image, with data or without, and while it waits for its bootstrap; after half an hour of that it
 * has failed. So only its folder tells. Source: talos, services/etcd.go, PreFunc and argsForControlPlane; v1.13.
 */
export const askEtcd = async (
  talos: Pick<Talosctl, "once">,
  address: string,
  machine: FoundMachine,
): Promise<FoundMachine> => {
  const once = (args: string[]) => talos.once(address, args, answerTimeout).catch(() => undefined);
  if (machine.hasEtcd) {
    const said = await talos.once(address, ["etcd", "status"], answerTimeout).catch(String);
    return { ...machine, hasLeader: knowsLeader(said) };
  }
  // It listens only once it is of a majority, and it had minutes for that.
  if (isRunning((await once(["service", "etcd"])) ?? "")) return { ...machine, hasEtcd: true, hasLeader: false };
  return { ...machine, hasEtcd: hasData(await once(["list", "/var/lib/etcd"])), hasLeader: undefined };
};
