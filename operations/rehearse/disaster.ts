import { writeFile, mkdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import { Display } from "../../lib/terminal/display.ts";
import { labFolder } from "../../lib/engine/lab-folder.ts";
import { Lab } from "../../lab/lab.ts";
import { lose } from "../../lab/lose.ts";
import { Problem } from "../../toolchain/problem.ts";
import { Toolchain } from "../../toolchain/toolchain.ts";
import { machineState } from "../../lib/cluster/machine-state.ts";
import { talosClientOf } from "../../lib/cluster/access.ts";
import { authorityOf } from "../../lib/recovery/examine.ts";
import type { PulumiStack } from "../../lib/engine/pulumi-stack.ts";
import { Talosctl } from "../../lib/cluster/talosctl.ts";
import type { Target } from "../../lib/engine/target.ts";

/** What a rehearsal destroys. */
export type Loss = "machines" | "state" | "all";

/** Destroys what a disaster would, and describes it. */
export type Disaster = (target: Target, loss: Loss) => Promise<string>;

const words: Record<Loss, string> = {
  machines: "all machines with their disks",
  state: "the state",
  all: "all machines with their disks, and the state",
};

/** The lab's disaster: it deletes virtual machines with their disks, and the state with its history. */
export const fire: Disaster = async (target, loss) => {
  const lab = await Lab.open(labFolder(target.root, target.stack));
  const { signal } = new AbortController();
  await lose(lab, { display: new Display(), signal, hurry: signal }, loss);
  return words[loss];
};

/**
 * The disaster for real machines: it wipes their disks through the Talos API, so that they wait in maintenance mode like new
 * ones, and moves the state aside.
 */
export const wipe = (stack: PulumiStack): Disaster => {
  return async (target, loss) => {
    if (loss !== "state") await wipeMachines(target, stack);
    if (loss !== "machines") await putStateAside(target);
    return words[loss];
  };
};

const wipeMachines = async (target: Target, stack: PulumiStack): Promise<void> => {
  const state = await stack.state();
  const client = talosClientOf(state);
  const { talosctl = "talosctl" } = await new Toolchain({ root: target.root }).ensure(["talosctl"]);
  const talos = new Talosctl(talosctl, client);
  const { nodes } = await target.config();
  const partitions = ["STATE", "EPHEMERAL"].flatMap((label) => ["--system-labels-to-wipe", label]);
  // Workers go first, because a wiped control plane cannot forward calls.
  const order = Object.values(nodes).sort((a, b) => b.role.localeCompare(a.role));
  for (const { address } of order) {
    await talos.run(address, ["reset", "--graceful=false", "--reboot", "--wait=false", ...partitions]);
  }
  for (const { address } of order) {
    const deadline = Date.now() + wipeTimeout;
    while ((await machineState(address, authorityOf(state))) !== "blank") {
      if (Date.now() > deadline) throw new Problem(`${address} does not come back in maintenance mode after its reset`);
      await sleep(1000);
    }
  }
};

/** Timeout from a machine's reset to its maintenance mode, in milliseconds. */
const wipeTimeout = 10 * 60_000;

/** Keeps the state as a file with encrypted secrets, in case the rehearsal fails. */
const putStateAside = async (target: Target): Promise<void> => {
  const path = join(target.root, ".hearth", `state-${target.stack}-before-rehearsal.json`);
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  await writeFile(path, await target.engine.sealedState(), { mode: 0o600 });
  await target.engine.call(["stack", "rm", "--force", "--yes", "--preserve-config"]);
  console.log(`The state is put aside in ${path}: pulumi stack import --file brings it back`);
};
