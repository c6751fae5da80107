import { setTimeout as sleep } from "node:timers/promises";

import { resourceTypes } from "../../components/resource-types.ts";
import { nameOf } from "../../components/urn.ts";
import { isMachineType } from "../../infra/platforms/index.ts";
import { talosClientOf } from "../../lib/cluster/access.ts";
import { machineState } from "../../lib/cluster/machine-state.ts";
import { Talosctl } from "../../lib/cluster/talosctl.ts";
import {
  kubeconfigOf,
  ofType,
  outputsOf,
  resourcesOf,
  type State,
  type StateResource,
} from "../../lib/engine/state.ts";
import type { Target } from "../../lib/engine/target.ts";
import {
  leaderOf,
  membersOf,
  readCluster,
  readLed,
  readDisks,
  readKubernetes,
  readMachine,
  readNodes,
  readRole,
  type Access,
  type Node,
} from "../../lib/rollout/read.ts";
import { betweenProblem, isBetween } from "../../lib/rollout/disks.ts";
import type { EtcdView } from "../../lib/rollout/gates.ts";
import type { Running, RunningMachine } from "../../lib/rollout/step.ts";
import { Waiting } from "../../lib/rollout/waiting.ts";
import { recordedMachine, type ConfiguredMachine } from "../preview/configured-machine.ts";
import { Toolchain } from "../../toolchain/toolchain.ts";
import { messageOf, Problem } from "../../toolchain/problem.ts";

/** The cluster of a stack: what its state has, and what runs. */
export interface RunningCluster {
  access: Access;
  recorded: Record<string, ConfiguredMachine>;
  running: Running;
  nodes: Node[];
  /** Each control plane's own view of etcd. */
  etcd: EtcdView[];
  /** Why something of it could not be read, and stands here as it was recorded. */
  problems: Unread[];
  /** The program talosctl. */
  talosctl: string;
}

/** Something that could not be read. */
export interface Unread {
  /** The machine that does not answer; undefined for the whole cluster. */
  machine?: string;
  problem: string;
}

/** How long a machine may take to come back that an interrupted run took out or created, in milliseconds. */
const bootTimeout = 10 * 60_000;

/**
 * Reads the cluster of a stack; undefined if it was never deployed.
 *
 * A deployment may need nothing of what cannot be read, so that is no error yet.
 */
export const runningCluster = async (
  target: Target,
  live: (text: string) => void,
): Promise<RunningCluster | undefined> => {
  const { engine, root } = target;
  if (!(await engine.size())) return undefined;
  const state = await engine.state();
  const kubeconfig = kubeconfigOf(state);
  const known = recordedMachines(state);
  if (kubeconfig === undefined || Object.keys(known).length === 0) return undefined;
  const { talosctl = "talosctl" } = await new Toolchain({ root }).ensure(["talosctl"]);
  const talos = new Talosctl(talosctl, talosClientOf(state));
  live("Looking at the machines");
  const recorded = { ...known, ...(await answering(talos, undestroyedMachines(state))) };
  const access: Access = { talos, kubeconfig, machines: recorded };
  const problems: Unread[] = [];
  const nodes = await readNodes(kubeconfig).catch((error: unknown) => {
    problems.push({ problem: `The Kubernetes API does not answer: ${messageOf(error)}` });
    return [];
  });
  const marked = nodes.filter(({ mark }) => mark !== undefined).map(({ name }) => name);
  const { nodes: desired } = await target.config();
  // One without a node was created by an interrupted run, and boots.
  const isNew = (name: string): boolean => nodes.length > 0 && !nodes.some((node) => node.name === name);
  const awaited = Object.keys(recorded).filter((name) => name in desired && (marked.includes(name) || isNew(name)));
  const machines = await readMachines(access, recorded, awaited, problems);
  const release = outputsOf(state, resourceTypes.talosCluster)?.kubernetes;
  const kubernetes = await readKubernetes(access, nodes).catch((error: unknown) => {
    problems.push({ problem: `The release of Kubernetes cannot be read: ${messageOf(error)}` });
    const last = typeof release === "string" ? release : "";
    return { lowest: last, highest: last };
  });
  const answers = Object.values(machines).some(({ role }) => role === "controlplane");
  const readings = answers ? await readLed(() => readCluster(access), live) : await readCluster(access);
  const [leader, members] = [leaderOf(readings), membersOf(readings)];
  const running = { machines, leader, members, kubernetes, marked };
  return { access, recorded, running, nodes, etcd: readings.etcd, problems, talosctl };
};

/** Those of the machines that answer, with the roles that they have. */
const answering = async (
  talos: Talosctl,
  machines: Record<string, ConfiguredMachine>,
): Promise<Record<string, ConfiguredMachine>> => {
  const found = await Promise.all(
    Object.entries(machines).map(async ([name, machine]) => {
      const role = await readRole(talos, machine.address).catch(() => undefined);
      return role === undefined ? [] : [[name, { ...machine, role }] as const];
    }),
  );
  return Object.fromEntries(found.flat());
};

/** How long a machine may wait for a configuration before it counts as one that gets none, in milliseconds. */
const blankTimeout = 20_000;

/** Reads the machines. One that an interrupted run took out or created may be on its way; one that was wiped is not. */
const readMachines = async (
  { talos }: Access,
  recorded: Record<string, ConfiguredMachine>,
  awaited: readonly string[],
  problems: Unread[],
): Promise<Record<string, RunningMachine>> => {
  const deadline = Date.now() + bootTimeout;
  const read = await Promise.all(
    Object.entries(recorded).map(async ([name, { address, image, role, volumes, isSealed }]) => {
      const waiting = new Waiting();
      for (;;) {
        try {
          const isBetweenFirmware = isSealed && isBetween(await readDisks(talos, address));
          const read = await readMachine(talos, address);
          return [[name, { ...read, recorded: image.installer, role, volumes, isBetweenFirmware }] as const];
        } catch (error) {
          if (awaited.includes(name) && Date.now() < deadline) {
            if ((await machineState(address, talos.authority)) !== "blank") waiting.end(name);
            else if (Date.now() > waiting.since(name) + blankTimeout) {
              problems.push({
                machine: name,
                problem: `${name} waits for a configuration in maintenance mode: it was wiped`,
              });
              return [];
            }
            await sleep(3000);
            continue;
          }
          problems.push({ machine: name, problem: `${name} does not answer: ${messageOf(error)}` });
          return [];
        }
      }
    }),
  );
  return Object.fromEntries(read.flat());
};

/**
 * Requires that no update of firmware was begun since the cluster was read.
 *
 * @throws Problem that names the machine
 */
export const requireNoFirmware = async ({ access, recorded }: RunningCluster): Promise<void> => {
  const sealed = Object.entries(recorded).filter(([, { isSealed }]) => isSealed);
  const problems = await Promise.all(
    sealed.map(async ([name, { address }]) => {
      // One that does not answer takes no configuration either.
      const disks = await readDisks(access.talos, address).catch(() => undefined);
      return disks && isBetween(disks) ? [betweenProblem(name)] : [];
    }),
  );
  if (problems.flat().length > 0) throw new Problem(problems.flat().join("\n"));
};

/** The machines that a state has, by the name of their node. */
export const recordedMachines = (state: State): Record<string, ConfiguredMachine> =>
  // An interrupted update destroyed the others, and did not create them again.
  machinesOf(ofType(state, resourceTypes.machineConfiguration).filter((each) => each.pendingReplacement !== true));

/**
 * Machines whose replacement an update had begun when it was interrupted, as they were before: it destroys the virtual machine after the
 * configuration, so the state does not tell whether it did.
 */
export const undestroyedMachines = (state: State): Record<string, ConfiguredMachine> => {
  const machines = resourcesOf(state).filter(
    ({ type, pendingReplacement }) => isMachineType(type) && pendingReplacement !== true,
  );
  const names = machines.map(({ urn }) => nameOf(urn));
  return machinesOf(
    ofType(state, resourceTypes.machineConfiguration).filter(
      ({ urn, pendingReplacement }) => pendingReplacement === true && names.includes(nameOf(urn)),
    ),
  );
};

const machinesOf = (configurations: readonly StateResource[]): Record<string, ConfiguredMachine> =>
  Object.fromEntries(configurations.map((each) => [nameOf(each.urn), recordedMachine(each)]));
