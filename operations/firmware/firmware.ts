import type { Call } from "../../lib/terminal/command.ts";
import { duration } from "../../lib/terminal/display.ts";
import { interruption } from "../../lib/terminal/interruption.ts";
import type { HearthConfig } from "../../infra/config/index.ts";
import { carryOut } from "../../lib/rollout/carry-out.ts";
import { refusal } from "../../lib/rollout/disks.ts";
import { hearthCommand } from "../../lib/engine/target.ts";
import { checksOf } from "../../lib/rollout/health.ts";
import { readDisks } from "../../lib/rollout/read.ts";
import type { FirmwareStep } from "../../lib/rollout/step.ts";
import { usual } from "../../lib/rollout/surroundings.ts";
import { Problem } from "../../toolchain/problem.ts";
import { keepEtcd } from "../etcd/keep.ts";
import { actionsOn, engineless } from "../deploy/rollout.ts";
import { runningCluster, type RunningCluster } from "../deploy/running.ts";
import { underLease } from "../deploy/under-lease.ts";

interface Values {
  updated?: boolean | undefined;
}

/** Takes a machine whose disks a TPM opens through an update of its firmware. */
export const firmware = async (call: Call<Values>): Promise<number> => {
  const { stack, args, values, display, answer } = call;
  const target = await call.open();
  const config = await target.config();
  const machine = namedNode(config, args[0]);
  const command = hearthCommand(target, "firmware", stack, machine);
  const signal = interruption(`The update of ${machine} was interrupted: ${command} goes on with it`);
  const cluster = await runningCluster(target, (text) => {
    display.live(text);
  });
  if (cluster === undefined || !(machine in cluster.recorded))
    throw new Problem(`${machine} was never deployed: npx hearth deploy ${stack}`);
  // One that an earlier run took out may be off, with a person at it.
  const isBegun = cluster.running.marked.includes(machine);
  const problems = cluster.problems.filter((each) => !(isBegun && each.machine === machine));
  if (problems.length > 0)
    throw new Problem([`Nothing is begun:`, ...problems.map(({ problem }) => `  ${problem}`)].join("\n"));
  if (!isBegun) await requireReady(cluster, machine, { command, isUpdated: values.updated === true });
  const step: FirmwareStep = {
    ...{ kind: "firmware", name: `firmware/${machine}`, machine, isUpdated: values.updated === true },
    ...{ what: "goes through an update of its firmware", out: machine, seconds: 1800 },
  };
  const { health } = config.rollout;
  const { actions } = await actionsOn(cluster, { joining: {} }, checksOf(health));
  await underLease(cluster.access, { display, signal, command, machines: [machine] }, async (held) => {
    await held.silence();
    if (!isBegun && cluster.recorded[machine]?.role === "controlplane") await keepEtcd(target, display);
    await carryOut(step, {
      machines: cluster.recorded,
      actions: { ...actions, ...engineless },
      signal: held.signal,
      command,
      bootCommand: (name) => hearthCommand(target, "boot", stack, name),
      say: (text) => {
        display.line(text);
      },
      live: (text) => {
        display.live(text);
      },
      timeouts: { ...usual, health: health.timeout * 60_000 },
    });
  });
  display.line(`${machine} is in service after ${duration(display.seconds)}, and its TPM opens its disks`);
  answer({ stack, machine });
  return 0;
};

/** @throws Problem unless a node of the stack is named */
const namedNode = ({ nodes }: HearthConfig, name: string | undefined): string => {
  if (name !== undefined && name in nodes) return name;
  const which = `name one of ${Object.keys(nodes).join(", ")}`;
  throw new Problem(name === undefined ? `Which machine? ${which}` : `There is no node ${name}: ${which}`);
};

/**
 * Requires that an update can be begun, by what runs: the stack file may say what was not deployed yet.
 *
 * @throws Problem that says why it is not
 */
const requireReady = async (
  { access, recorded }: RunningCluster,
  machine: string,
  { command, isUpdated }: { command: string; isUpdated: boolean },
): Promise<void> => {
  const disks = await readDisks(access.talos, recorded[machine]?.address ?? "");
  const why = refusal(machine, disks, { command, isUpdated });
  if (why !== undefined) throw new Problem(why);
};
