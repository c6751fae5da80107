import type { Call } from "../../lib/terminal/command.ts";
import { duration } from "../../lib/terminal/display.ts";
import { interruption } from "../../lib/terminal/interruption.ts";
import type { HearthConfig } from "../../infra/config/index.ts";
import { carryOut } from "../../lib/rollout/carry-out.ts";
import { checksOf } from "../../lib/rollout/health.ts";
import type { FirmwareStep } from "../../lib/rollout/step.ts";
import { usual } from "../../lib/rollout/surroundings.ts";
import { Problem } from "../../toolchain/problem.ts";
import { actionsOn, engineless } from "../deploy/rollout.ts";
import { runningCluster } from "../deploy/running.ts";
import { underLease } from "../deploy/under-lease.ts";

interface Values {
  updated?: boolean | undefined;
}

/** Takes a machine whose disks a TPM opens through an update of its firmware. */
export const firmware = async (call: Call<Values>): Promise<number> => {
  const { stack, args, values, display, answer } = call;
  const target = await call.open();
  const config = await target.config();
  const machine = sealedMachine(config, args[0]);
  const command = `npx hearth firmware ${stack} ${machine}${target.isLab ? " --lab" : ""}`;
  const signal = interruption(`The update of ${machine} was interrupted: ${command} goes on with it`);
  const cluster = await runningCluster(target, (text) => {
    display.live(text);
  });
  if (cluster === undefined || !(machine in cluster.recorded))
    throw new Problem(`${machine} was never deployed: npx hearth deploy ${stack}`);
  if (cluster.problems.length > 0)
    throw new Problem([`Nothing is begun:`, ...cluster.problems.map(({ problem }) => `  ${problem}`)].join("\n"));
  const step: FirmwareStep = {
    ...{ kind: "firmware", name: `firmware/${machine}`, machine, isUpdated: values.updated === true },
    ...{ what: "goes through an update of its firmware", out: machine, seconds: 1800 },
  };
  const { health } = config.rollout;
  const { actions } = await actionsOn(cluster, { joining: {} }, checksOf(health));
  await underLease(cluster.access, { display, signal, command, machines: [machine] }, async (held) => {
    await held.silence();
    await carryOut(step, {
      machines: cluster.recorded,
      actions: { ...actions, ...engineless },
      signal: held.signal,
      command,
      bootCommand: (name) => `npx hearth boot ${stack} ${name}`,
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

/** @throws Problem unless a node is named whose disks a TPM opens */
const sealedMachine = ({ nodes, cluster }: HearthConfig, name: string | undefined): string => {
  const sealed = Object.entries(nodes)
    .filter(([, { diskEncryption }]) => (diskEncryption ?? cluster.diskEncryption) === "tpm")
    .map(([node]) => node);
  if (name !== undefined && sealed.includes(name)) return name;
  if (name !== undefined && name in nodes)
    throw new Problem(
      `The disks of ${name} are not opened by a TPM, so its firmware closes none: drain it with kubectl, update it, and uncordon it`,
    );
  const which =
    sealed.length === 0 ? "no node of the stack has diskEncryption: tpm" : `name one of ${sealed.join(", ")}`;
  throw new Problem(name === undefined ? `Which machine? ${which}` : `There is no node ${name}: ${which}`);
};
