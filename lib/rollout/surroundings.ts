import { setTimeout as sleep } from "node:timers/promises";

import { messageOf, Problem } from "../../toolchain/problem.ts";
import type { Actions } from "./actions.ts";

/** What carrying out a step works with. */
export interface Surroundings {
  /** Machines of the cluster by name, as they are when the step begins. */
  machines: Record<string, { role: "controlplane" | "worker" }>;
  actions: Actions;
  /** Names what is under way. */
  live: (text: string) => void;
  /** Says what a person has to know. */
  say: (text: string) => void;
  /** Ends waiting. */
  signal: AbortSignal;
  /** The command that goes on. @example "npx hearth deploy dev" */
  command: string;
  /** The command that names what a machine of metal boots. @example "npx hearth boot dev den-dev-wk01" */
  bootCommand: (machine: string) => string;
  /** @default usual */
  timeouts?: Timeouts;
}

/** In milliseconds. */
export interface Timeouts {
  /** For the cluster to be whole before a step. */
  gate: number;
  /** For the cluster to be healthy before a step, and after it. */
  health: number;
  /** For pods to leave a node, and their volumes. */
  drain: number;
  /** For a machine to come back. */
  boot: number;
  /** After which a machine that has not begun to restart does not. */
  restart: number;
  /** For a person to go to a machine, and to boot it. */
  person: number;
  /** Between two looks. */
  pause: number;
}

export const usual: Timeouts = {
  gate: 300_000,
  health: 1_800_000,
  drain: 600_000,
  boot: 900_000,
  restart: 90_000,
  person: 3_600_000,
  pause: 3000,
};

/**
 * Looks again and again until something is so. What fails meanwhile, such as a call to an API server that restarts, is not so yet.
 *
 * @param timeout how long, in milliseconds, or a function that returns when it ends
 */
export const eventually = async (
  { signal, timeouts = usual }: Surroundings,
  timeout: number | (() => number),
  isSo: () => Promise<boolean>,
): Promise<boolean> => {
  const started = Date.now();
  const deadline = typeof timeout === "number" ? () => started + timeout : timeout;
  for (;;) {
    signal.throwIfAborted();
    if (await isSo().catch(() => false)) return true;
    if (Date.now() > deadline()) return false;
    await sleep(timeouts.pause, undefined, { signal }).catch(() => undefined);
  }
};

/** @throws Problem that says what failed, and that the machine is out of service */
export const whileOut = async <T>(
  machine: string,
  what: string,
  { signal, command }: Pick<Surroundings, "signal" | "command">,
  work: Promise<T>,
): Promise<T> => {
  try {
    return await work;
  } catch (error) {
    signal.throwIfAborted();
    throw new Problem(
      `${machine} is out of service, and ${what} failed: ${messageOf(error)}\nRun ${command} again, which goes on with it`,
    );
  }
};
