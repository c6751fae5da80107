import { setTimeout as sleep } from "node:timers/promises";

import { Problem } from "../../toolchain/problem.ts";
import type { Situation } from "../../lib/recovery/plan.ts";

export type Machines = Situation["machines"];

/** Machines that may or may not be lost. */
export const silentOf = (machines: Machines): string[] =>
  Object.entries(machines).flatMap(([name, { state }]) => (state === "silent" ? [name] : []));

/** Whether a machine is a running control plane whose etcd may still be starting. */
const isStarting = ({ role, state, hasEtcd }: Machines[string]): boolean =>
  role === "controlplane" && state === "member" && !hasEtcd;

/** Whether a machine's state may change soon: machines start, clocks are set, etcd elects a leader. */
const isOpen = (machine: Machines[string]): boolean =>
  ["silent", "foreign"].includes(machine.state) || isStarting(machine);

export interface Asking {
  look: () => Promise<Machines>;
  /** Whether to wait for a machine. @default all */
  isAwaited?: (name: string, machines: Machines) => boolean;
  /** How long to keep asking, in milliseconds. */
  timeout: number;
  /** Shows which machines do not answer, and for how long, in milliseconds. */
  say: (names: string[], elapsed: number) => void;
  signal: AbortSignal;
  /** Wait between looks, in milliseconds. */
  pause?: number;
}

/** Examines the machines until each answers and control planes have their etcd, or the timeout ends. */
export const lookUntilKnown = async (asking: Asking): Promise<Machines> => {
  const { look, isAwaited = () => true, timeout, say, signal, pause = 3000 } = asking;
  const begun = Date.now();
  for (;;) {
    const machines = await look();
    const open = Object.keys(machines).filter((name) => {
      const machine = machines[name];
      return machine !== undefined && isAwaited(name, machines) && isOpen(machine);
    });
    const elapsed = Date.now() - begun;
    if (open.length === 0 || elapsed >= timeout) return machines;
    say(open, elapsed);
    await sleep(pause, undefined, { signal });
  }
};

/**
 * Marks machines as lost that the user declares lost.
 *
 * @throws Problem if no machine has such a name, or the machine answers
 */
export const withDeclaredLost = (machines: Machines, names: readonly string[]): Machines => {
  const changed = { ...machines };
  for (const name of names) {
    const machine = machines[name];
    if (machine === undefined) {
      throw new Problem(`There is no node ${name} to be lost: it is one of ${Object.keys(machines).join(", ")}`);
    }
    if (machine.state === "member") {
      throw new Problem(`${name} is not lost: it answers as a member of the cluster. Leave --lost ${name} out`);
    }
    if (machine.state === "foreign") {
      throw new Problem(
        `${name} answers with a certificate of another authority, so another machine has its address. Give the node another ` +
          `address, or reset that machine, and leave --lost ${name} out`,
      );
    }
    if (machine.state === "silent") changed[name] = { ...machine, state: "absent" };
  }
  return changed;
};
