import { setTimeout as sleep } from "node:timers/promises";

import { Problem } from "../../toolchain/problem.ts";
import type { Situation } from "./plan.ts";

export type Machines = Situation["machines"];

/** Machines of which nobody knows whether they are lost. */
export const silentOf = (machines: Machines): string[] =>
  Object.entries(machines).flatMap(([name, { state }]) => (state === "silent" ? [name] : []));

/** A control plane that runs and whose etcd may still be starting. */
const isStarting = ({ role, state, hasEtcd }: Machines[string]): boolean =>
  role === "controlplane" && state === "member" && !hasEtcd;

export interface Asking {
  look: () => Promise<Machines>;
  /** How long to go on asking, in milliseconds. */
  timeout: number;
  /** Shows who does not answer, and for how long that has been so, in milliseconds. */
  say: (names: string[], elapsed: number) => void;
  signal: AbortSignal;
  /** Wait between looks, in milliseconds. */
  pause?: number;
}

/** Looks at the machines until each answers and control planes have their etcd, or the time is over. */
export const lookUntilKnown = async ({ look, timeout, say, signal, pause = 3000 }: Asking): Promise<Machines> => {
  const begun = Date.now();
  for (;;) {
    const machines = await look();
    const open = Object.keys(machines).filter((name) => {
      const machine = machines[name];
      return machine !== undefined && (machine.state === "silent" || isStarting(machine));
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
    if (machine.state === "silent") changed[name] = { ...machine, state: "absent" };
  }
  return changed;
};
