import { setTimeout as sleep } from "node:timers/promises";

import { Problem } from "../../toolchain/problem.ts";
import type { Situation } from "../../lib/recovery/plan.ts";

export type Machines = Situation["machines"];

/** Machines of which nobody knows whether they are lost. */
export const silentOf = (machines: Machines): string[] =>
  Object.entries(machines).flatMap(([name, { state }]) => (state === "silent" ? [name] : []));

/** A control plane that runs and whose etcd may still be starting. */
const isStarting = ({ role, state, hasEtcd }: Machines[string]): boolean =>
  role === "controlplane" && state === "member" && !hasEtcd;

/** What may be known later: machines start, clocks are set, etcd elects. */
const isOpen = (machine: Machines[string]): boolean =>
  ["silent", "foreign"].includes(machine.state) || isStarting(machine);

export interface Asking {
  look: () => Promise<Machines>;
  /** Whether a machine is waited for. @default all are */
  isAwaited?: (name: string) => boolean;
  /** How long to go on asking, in milliseconds. */
  timeout: number;
  /** Shows who does not answer, and for how long that has been so, in milliseconds. */
  say: (names: string[], elapsed: number) => void;
  signal: AbortSignal;
  /** Wait between looks, in milliseconds. */
  pause?: number;
}

/** Looks at the machines until each answers and control planes have their etcd, or the time is over. */
export const lookUntilKnown = async (asking: Asking): Promise<Machines> => {
  const { look, isAwaited = () => true, timeout, say, signal, pause = 3000 } = asking;
  const begun = Date.now();
  for (;;) {
    const machines = await look();
    const open = Object.keys(machines).filter((name) => {
      const machine = machines[name];
      return machine !== undefined && isAwaited(name) && isOpen(machine);
    });
    const elapsed = Date.now() - begun;
    if (open.length === 0 || elapsed >= timeout) return machines;
    say(open, elapsed);
    await sleep(pause, undefined, { signal });
  }
};

/**
 * Takes machines for lost of which a person says so.
 *
 * @throws Problem where a name is no machine's, or where the machine answers
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
