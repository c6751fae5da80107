import { readdir, readFile, rm } from "node:fs/promises";
import { basename, join } from "node:path";
import { messageOf, Problem } from "../toolchain/problem.ts";
import { nodeStates } from "./checks.ts";
import { describeChanges, describeProgress } from "../lib/engine/describe.ts";
import { table } from "../lib/terminal/display.ts";
import { endOrphan } from "./engine.ts";
import { readIfThere, shellExports } from "./environment.ts";
import { fluxObjects } from "../lib/cluster/flux.ts";
import { Kubernetes } from "../lib/cluster/kubernetes.ts";
import type { LabConfig } from "./lab-config.ts";
import type { Lab } from "./lab.ts";
import type { Context } from "./context.ts";
import { finishInterrupted, hasUnreported, isInterrupted } from "./recovery.ts";
import { describeLeftOut, keepOutputs, running } from "./up.ts";

/** Prints what the program would change, without changing anything. */
export const preview = async (lab: Lab, context: Context): Promise<void> => {
  const { display, signal, hurry } = context;
  const { engine } = await running(lab, context);
  const report = await engine.run("preview", {
    signal,
    hurry,
    onProgress: (now) => {
      display.live(describeProgress(now));
    },
  });
  display.clear();
  console.log(describeChanges(report));
  if (await isInterrupted(lab)) {
    console.log("An update was interrupted, and resources that it began may exist: `npm run lab` finishes it");
  }
};

/** Destroys the stack, and fails if the simulators still hold something of it. */
export const destroy = async (lab: Lab, context: Context): Promise<void> => {
  const { display, signal, hurry } = context;
  if ((await lab.written()) === undefined) throw new Problem(`The lab of ${lab.folder.stack} was never up`);
  const { config, engine } = await running(lab, context);
  // Resources that no state knows cannot be destroyed, so the interrupted update is finished first.
  if (await hasUnreported(lab)) {
    await finishInterrupted(lab, engine.stack, context, () => keepOutputs(lab, engine));
  }
  await rm(lab.folder.recovery, { force: true });
  if ((await engine.size()) > 0) {
    const report = await engine.destroy({
      signal,
      hurry,
      onProgress: (now) => {
        display.live(describeProgress(now));
      },
    });
    display.clear();
    display.line(`Destroyed ${String(report.counts?.delete ?? 0)} resources`);
  }
  await rm(lab.folder.kubeconfig, { force: true });
  await rm(lab.folder.talosconfig, { force: true });
  await rm(lab.folder.authorizedKeys, { force: true });
  await lab.forgetSigners();
  const remaining = await holdings(lab, config);
  if (remaining.length > 0) throw new Problem(`The simulators still hold ${remaining.join(", ")}`);
  display.line("The simulators hold nothing");
};

/** What the simulators hold of a stack, for example `2 virtual machines`. */
const holdings = async (lab: Lab, config: LabConfig): Promise<string[]> => {
  const simulators = lab.simulators(config);
  const [proxmox, cloudflare] = await Promise.all([simulators.proxmox(), simulators.cloudflare()]);
  const counts = {
    "virtual machines": proxmox?.vms ?? 0,
    disks: proxmox?.disks ?? 0,
    images: proxmox?.images ?? 0,
    "HA resources": proxmox?.ha ?? 0,
    tunnels: cloudflare?.tunnels ?? 0,
    "DNS records": cloudflare?.records ?? 0,
  };
  return Object.entries(counts).flatMap(([what, count]) => (count === 0 ? [] : [`${count.toString()} ${what}`]));
};

/** Stops every process of the lab; its state stays. */
export const down = async (lab: Lab, { display }: Context): Promise<void> => {
  await endOrphan(lab.folder);
  const stopped = await lab.supervisor.stop();
  display.line(stopped ? `The lab of ${lab.folder.stack} is down` : `The lab of ${lab.folder.stack} was not running`);
};

/** Stops the lab and deletes its folder. */
export const reset = async (lab: Lab, context: Context): Promise<void> => {
  await down(lab, context);
  await rm(lab.folder.path, { recursive: true, force: true, maxRetries: 5 });
  context.display.line(`Removed .lab/${lab.folder.stack}`);
};

/** Prints the exports with which a shell uses kubectl, talosctl and pulumi on the lab, for the present stack file. */
export const env = async (lab: Lab): Promise<void> => {
  if ((await readIfThere(lab.folder.kubeconfig)) === undefined) {
    throw new Problem(
      `The lab of ${lab.folder.stack} has no cluster: run \`npm run lab -- up ${lab.folder.stack}\` first`,
    );
  }
  await lab.linkHandTools();
  await lab.derive();
  console.log(shellExports(lab.folder));
};

/** Prints the machines, the nodes, Flux's objects and the endpoints. */
export const status = async (lab: Lab): Promise<void> => {
  const config = await lab.written();
  const running = await lab.supervisor.status();
  if (config === undefined || running === undefined) {
    console.log(`The lab of ${lab.folder.stack} is not running: \`npm run lab -- up ${lab.folder.stack}\` starts it`);
    return;
  }
  const proxmox = await lab
    .simulators(config)
    .proxmox()
    .catch(() => undefined);
  console.log(
    table(
      ["PROCESS", "STATE", "PID", "ADDRESS", "NOTE"],
      running.children.map((part) => [
        part.name,
        part.ready ? "ready" : part.state,
        String(part.pid ?? ""),
        part.address,
        part.error ?? "",
      ]),
    ),
  );
  const machines = [
    ...(proxmox?.machines ?? []).map(({ name, node, status: state, address }) => [name, node, state, address ?? ""]),
    ...config.metal.map(({ name, address }) => [lab.nodeAt(address) ?? name, "bare metal", "on", address]),
  ];
  if (machines.length > 0) console.log(`\n${table(["MACHINE", "HOST", "STATE", "ADDRESS"], machines)}`);
  await clusterStatus(lab);
};

const clusterStatus = async (lab: Lab): Promise<void> => {
  const kubeconfig = await readIfThere(lab.folder.kubeconfig);
  if (kubeconfig === undefined) return;
  const kubernetes = new Kubernetes(kubeconfig);
  try {
    const nodes = await nodeStates(kubernetes);
    const objects = await fluxObjects(kubernetes);
    const yes = (isReady: boolean): string => (isReady ? "Ready" : "not Ready");
    const nodeRows = nodes.map(({ name, isReady, version, address }) => [name, yes(isReady), version, address]);
    console.log(`\n${table(["NODE", "STATE", "VERSION", "ADDRESS"], nodeRows)}`);
    const fluxRows = objects.map((object) => [
      object.kind,
      `${object.namespace}/${object.name}`,
      object.isSuspended ? "suspended" : yes(object.isReady),
      object.revision,
      object.isReady || object.isSuspended ? "" : object.message,
    ]);
    console.log(`\n${table(["FLUX", "NAME", "STATE", "REVISION", "NOTE"], fluxRows)}`);
    const skipped = describeLeftOut(await lab.leftOut());
    if (skipped.length > 0) console.log(`\n${skipped.join("\n")}`);
  } catch (error) {
    console.log(`\nThe Kubernetes API does not answer: ${messageOf(error)}`);
  }
};

/** Lists the lab's logs, or prints the last lines of one. */
export const logs = async (lab: Lab, name?: string): Promise<void> => {
  const files = (await readdir(lab.folder.logs).catch(() => [])).filter((file) => file.endsWith(".log")).sort();
  if (name === undefined) {
    console.log(files.map((file) => basename(file, ".log")).join("\n"));
    return;
  }
  const file = files.find((each) => each === `${name}.log`);
  if (file === undefined)
    throw new Problem(`There is no log ${name}: \`npm run lab -- logs ${lab.folder.stack}\` lists them`);
  const lines = (await readFile(join(lab.folder.logs, file), "utf8")).trimEnd().split("\n");
  console.log(lines.slice(-200).join("\n"));
};
