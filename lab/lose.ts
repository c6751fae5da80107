import { mkdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { clientIn, Talosctl } from "../lib/cluster/talosctl.ts";
import { Problem } from "../toolchain/problem.ts";
import { readIfThere } from "./environment.ts";
import type { LabConfig } from "./lab-config.ts";
import type { Lab } from "./lab.ts";
import type { Context } from "./context.ts";

/** What a lab can be made to lose. */
const losses = ["machines", "state", "all"];

/**
 * Makes a lab lose what a disaster would take: the machines with their disks, the state, or both.
 *
 * What a person keeps elsewhere stays: the checkout with its stack file, the passphrase, the backups. Cloudflare and
 * the Git host stay too, since no fire at home reaches them.
 *
 * @param what `machines`, `state`, `all`, or names of machines separated by commas
 */
export const lose = async (lab: Lab, { display }: Context, what = ""): Promise<void> => {
  const config = await lab.written();
  if (config === undefined || (await lab.supervisor.status()) === undefined) {
    throw new Problem(
      `The lab of ${lab.folder.stack} is not running: \`npm run lab -- up ${lab.folder.stack}\` starts it`,
    );
  }
  if (what === "") throw new Problem(`Name what to lose: ${losses.join(", ")}, or names of machines`);
  if (what !== "state") display.line(`Lost ${(await loseMachines(lab, config, what)).join(", ")}`);
  if (what === "state" || what === "all") {
    await loseState(lab);
    display.line("Lost the state, with its backups and its history");
  }
};

const loseMachines = async (lab: Lab, config: LabConfig, what: string): Promise<string[]> => {
  const isWanted = ({ name }: { name: string }): boolean => losses.includes(what) || what.split(",").includes(name);
  const simulators = lab.simulators(config);
  const virtual = ((await simulators.proxmox())?.machines ?? []).filter(isWanted);
  const metal = config.metal
    .map(({ name, address }) => ({ name: lab.nodeAt(address) ?? name, address }))
    .filter(isWanted);
  const names = [...virtual, ...metal].map(({ name }) => name);
  if (names.length === 0) throw new Problem(`The lab of ${lab.folder.stack} has no machine ${what}`);
  await simulators.burn(virtual);
  for (const { address } of metal) await wipe(lab, address);
  return names;
};

/** Gives a bare-metal machine a new disk, so that it boots into maintenance mode again. */
const wipe = async (lab: Lab, address: string): Promise<void> => {
  await lab.linkHandTools();
  const client = clientIn(await readFile(lab.folder.talosconfig, "utf8"));
  const talos = new Talosctl(join(lab.folder.bin, "talosctl"), client);
  await talos.once(address, ["reset", "--graceful=false", "--reboot", "--wait=false"]);
};

const loseState = async ({ folder }: Lab): Promise<void> => {
  for (const path of [folder.state, folder.kubeconfig]) await rm(path, { recursive: true, force: true });
  await mkdir(folder.state, { recursive: true, mode: 0o700 });
  // A recovery has to work with the credentials in the escrow, so those that a run left here go too.
  if ((await readIfThere(folder.talosconfig)) !== undefined) await rm(folder.talosconfig);
};
