import { setTimeout as sleep } from "node:timers/promises";

import { Problem } from "../../toolchain/problem.ts";
import type { Machines } from "./silent.ts";

export interface Wiping {
  /** Control planes whose etcd is wiped. */
  names: readonly string[];
  /** Machines that the plan counts as lost. */
  lost: readonly string[];
  /** Those of the names whose data of Ceph may be wiped. */
  lostData: readonly string[];
  /** Those of the names that an earlier attempt has reset, or was about to reset. */
  begun: readonly string[];
  /** Examines every machine now, and asks the control planes about etcd. */
  look: () => Promise<Machines>;
  /** Records that a machine is about to be reset. */
  note: (name: string) => Promise<void>;
  /** Resets a machine and keeps its configuration. */
  reset: (name: string) => Promise<void>;
  say: (name: string) => void;
  signal: AbortSignal;
  /** Wait between looks, in milliseconds. */
  pause?: number;
  /** Timeout for a machine to go down for its reset, in milliseconds. */
  timeout?: number;
}

/** How many times etcd must be seen without a leader. During an election it has none either. */
const looks = 3;

/**
 * Wipes what remains of an etcd that has lost its quorum, machine by machine. Before each one it checks that the quorum is
 * still lost.
 *
 * @throws Problem if the quorum is not lost, or this is not known
 */
export const wipeEtcd = async (wiping: Wiping): Promise<void> => {
  const { names, begun, note, reset, say } = wiping;
  for (const name of names) {
    if (!(await hasToGo(name, wiping))) continue;
    say(name);
    if (!begun.includes(name)) await note(name);
    await reset(name);
    await untilGone(name, wiping);
  }
};

/** Whether a machine still has data of an etcd without a quorum. */
const hasToGo = async (
  name: string,
  { lost, lostData, begun, look, signal, pause = 2000 }: Wiping,
): Promise<boolean> => {
  for (let time = 1; time <= looks; time += 1) {
    const machines = await look();
    const reason = reasonAgainst(name, machines, { lost, begun });
    if (reason !== undefined) {
      throw new Problem(
        `${reason}, so etcd on ${name} is not wiped: run this again with --restart, which looks at everything anew`,
      );
    }
    if (machines[name]?.hasEtcd !== true) return false;
    if (machines[name].keepsCeph !== false && !lostData.includes(name)) {
      throw new Problem(
        `${name} has data of Ceph in /var/lib/rook, or does not say, so it is not wiped: copy it with talosctl copy, and run this again ` +
          `with --lost-data ${name}`,
      );
    }
    if (time < looks) await sleep(pause, undefined, { signal });
  }
  return true;
};

/** Returns the reason not to wipe a machine's etcd: an actual or possible quorum. */
export const reasonAgainst = (
  name: string,
  machines: Machines,
  { lost, begun }: Pick<Wiping, "lost" | "begun">,
): string | undefined => {
  const planes = Object.entries(machines).filter(([, { role }]) => role === "controlplane");
  const back = planes.find(([each, { state }]) => lost.includes(each) && state === "member");
  if (back) return `${back[0]}, which was taken for lost, answers as a member of the cluster`;
  const led = planes.find(([, { hasLeader }]) => hasLeader === true);
  if (led) return `etcd on ${led[0]} has a leader, so it has a quorum`;
  // A machine that was reset may be booting, or may wait without data.
  const kept = planes.filter(([each]) => !lost.includes(each) && !(begun.includes(each) && !hasData(machines, each)));
  const silent = kept.find(([, { state }]) => state !== "member");
  if (silent) return `${silent[0]} does not answer as a member of the cluster`;
  const unknown = kept.find(
    ([, { hasEtcd, hasLeader }]) => hasEtcd === undefined || (hasEtcd && hasLeader === undefined),
  );
  if (unknown) return `Nobody knows how etcd on ${unknown[0]} is`;
  return machines[name] === undefined ? `${name} is no node` : undefined;
};

const hasData = (machines: Machines, name: string): boolean => machines[name]?.hasEtcd === true;

/** Waits until the etcd of a reset machine no longer answers. */
const untilGone = async (
  name: string,
  { look, signal, pause = 2000, timeout = 10 * 60_000 }: Wiping,
): Promise<void> => {
  const deadline = Date.now() + timeout;
  while (hasData(await look(), name)) {
    if (Date.now() > deadline) {
      throw new Problem(`${name} does not go down for its reset: look at talosctl dmesg there, and run this again`);
    }
    await sleep(pause, undefined, { signal });
  }
};
