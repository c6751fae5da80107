import type { Talosctl } from "../../lib/cluster/talosctl.ts";
import type { FoundMachine } from "../../lib/recovery/plan.ts";

/** Timeout for a machine's report on its etcd, in milliseconds. */
const answerTimeout = 15_000;

/** Whether a service runs, from the output of `talosctl service`. */
const isRunning = (printed: string): boolean => /^STATE\s+Running\b/m.test(printed);

/**
 * Whether etcd's folder has data, from the output of `talosctl list`; undefined if the output does not show it.
 *
 * Source: talos, cmd/talosctl/cmd/talos/list.go and pkg/archiver/walker.go, which names the folder itself `.`; v1.13.
 */
const hasData = (printed: string | undefined): boolean | undefined => {
  const names = printed?.split("\n").map((line) => line.trim()) ?? [];
  if (!names.includes(".")) return undefined;
  return names.some((name) => name !== "" && name !== ".");
};

/**
 * Whether a member of etcd knows a leader, from the output of `talosctl etcd status`: a table, or etcd's refusal of calls that
 * require a leader. Undefined if the output is neither.
 *
 * Source: talos, cmd/talosctl/cmd/talos/etcd.go and pkg/machinery/resources/etcd, FormatMemberID, v1.13;
 * etcd, ErrGRPCNoLeader, v3.6.
 */
export const knowsLeader = (said: string): boolean | undefined => {
  if (said.includes("etcdserver: no leader")) return false;
  const [, leader] = said.split("\n")[1]?.match(/(?<=\s)[0-9a-f]{16}(?=\s)/g) ?? [];
  return leader === undefined ? undefined : !/^0+$/.test(leader);
};

/**
 * Whether a folder has data, as `talosctl list` answers. Undefined if the answer does not tell.
 *
 * Source: talos, internal/app/machined/internal/server/v1alpha1/v1alpha1_server.go, List, and pkg/archiver/walker.go: a folder that is
 * not there is the error of lstat; v1.13.
 */
const holdsData = async (
  talos: Pick<Talosctl, "once">,
  address: string,
  folder: string,
): Promise<boolean | undefined> => {
  try {
    return hasData(await talos.once(address, ["list", folder], answerTimeout));
  } catch (error) {
    return String(error).includes(`lstat ${folder}: no such file or directory`) ? false : undefined;
  }
};

/** Where Rook keeps Ceph's monitors: dataDirHostPath of the tree's CephCluster. */
const cephFolder = "/var/lib/rook";

/**
 * Asks a control plane that is a member of the cluster about its etcd, and where etcd may have to be wiped, about what is wiped with it.
 *
 * The service is in the state Preparing while it pulls its image, with or without data, and while it waits for its bootstrap;
 * after half an hour it fails. So only its folder shows whether it has data.
 * Source: talos, services/etcd.go, PreFunc and argsForControlPlane; v1.13.
 */
export const askEtcd = async (
  talos: Pick<Talosctl, "once">,
  address: string,
  machine: FoundMachine,
): Promise<FoundMachine> => {
  const found = await withEtcd(talos, address, machine);
  if (found.hasEtcd !== true || found.hasLeader === true) return found;
  return { ...found, keepsCeph: await holdsData(talos, address, cephFolder) };
};

const withEtcd = async (
  talos: Pick<Talosctl, "once">,
  address: string,
  machine: FoundMachine,
): Promise<FoundMachine> => {
  const once = (args: string[]) => talos.once(address, args, answerTimeout).catch(() => undefined);
  if (machine.hasEtcd) {
    const said = await talos.once(address, ["etcd", "status"], answerTimeout).catch(String);
    return { ...machine, hasLeader: knowsLeader(said) };
  }
  // etcd listens only once it belongs to a majority, and it had minutes for that.
  if (isRunning((await once(["service", "etcd"])) ?? "")) return { ...machine, hasEtcd: true, hasLeader: false };
  return { ...machine, hasEtcd: hasData(await once(["list", "/var/lib/etcd"])), hasLeader: undefined };
};
