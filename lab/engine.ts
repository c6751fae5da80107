import { createWriteStream } from "node:fs";
import { access, mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import { resourceTypes } from "../components/resource-types.ts";
import { nameOf } from "../components/urn.ts";
import { Kubernetes } from "../lib/cluster/kubernetes.ts";
import { engineEnvironment } from "../lib/engine/lab-environment.ts";
import type { LabFolder } from "../lib/engine/lab-folder.ts";
import { PulumiStack, update, type Operation, type RunOptions } from "../lib/engine/pulumi-stack.ts";
import { Pulumi } from "../lib/engine/pulumi.ts";
import type { RunReport } from "../lib/engine/report.ts";
import { outputsOf, type StateResource } from "../lib/engine/state.ts";
import { revealed } from "../lib/engine/value.ts";
import { Problem } from "../toolchain/problem.ts";
import { checkpointFile, restoreCheckpoint } from "./checkpoint.ts";
import { readIfThere } from "./environment.ts";
import { forgetRelease } from "./helm.ts";
import type { LabConfig } from "./lab-config.ts";
import { endStrays } from "./strays.ts";

/** How long the engine may take to end after it was interrupted, in milliseconds: it waits for what it has begun. */
const interruptTimeout = 60_000;

/** The engine's runs, by the word that they have in the names of logs. */
const operations: Record<"up" | "preview" | "destroy", Operation> = {
  up: update,
  preview: ["preview"],
  destroy: ["destroy", "--yes", "--skip-preview"],
};

/** The real Pulumi engine, with a lab's configuration, state and simulated internet. */
export class Engine {
  private readonly stack: PulumiStack;

  constructor(
    private readonly folder: LabFolder,
    lab: LabConfig,
    /** The program `pulumi`. */
    pulumi: string,
  ) {
    const engine = new Pulumi(pulumi, folder.root, engineEnvironment(folder, lab));
    this.stack = new PulumiStack(engine, folder.stack, folder.derived);
  }

  /** Makes the stack where there is none, and stores the secrets that its configuration lacks. */
  async prepare(secrets: Record<string, string>): Promise<void> {
    await mkdir(this.folder.state, { recursive: true, mode: 0o700 });
    if (!(await this.hasStack())) {
      // `stack init` writes beside the project file, so it runs in the lab's folder, next to the derived configuration.
      await writeFile(join(this.folder.path, "Pulumi.yaml"), await readFile(join(this.folder.root, "Pulumi.yaml")));
      await this.stack.init();
    }
    for (const [key, value] of Object.entries(secrets)) {
      await this.stack.configure(["config", "set", "--secret", key], value);
    }
  }

  /** Takes up what an engine that was killed left behind. Gives what it did, a line each. */
  async recover(): Promise<string[]> {
    await endOrphan(this.folder);
    const did: string[] = [];
    if (await restoreCheckpoint(this.folder)) did.push("took the state that was whole before an engine was killed");
    if (await this.isLockedByTheDead()) {
      await this.stack.unlock();
      did.push("removed the state's lock of an engine that is gone");
    }
    const pending = await this.forgetPending();
    if (pending.length > 0) did.push(`forgot what that engine had begun: ${pending.join(", ")}`);
    return did;
  }

  /** Runs an operation on the whole stack. One that is killed is recovered from by the next command. */
  async run(name: keyof typeof operations, options: RunOptions = {}): Promise<RunReport> {
    const log = join(this.folder.logs, `pulumi-${name}-${new Date().toISOString().replaceAll(/[:.]/g, "-")}.log`);
    await mkdir(this.folder.logs, { recursive: true });
    const output = createWriteStream(log, { mode: 0o600 });
    const operation = operations[name];
    try {
      const ended = await this.stack.try(operation, {
        ...options,
        interruptTimeout,
        onStart: (pid) => writeFile(this.folder.enginePid, pid.toString()),
        onLine: (line) => output.write(`${new Date().toISOString()} ${line}\n`),
      });
      output.write(ended.stderr);
      if (ended.exitCode !== 0) throw this.stack.failed(operation, ended, log);
      return ended.report;
    } finally {
      output.end();
      if (options.signal?.aborted === true) await endStrays(this.folder);
      await rm(this.folder.enginePid, { force: true });
    }
  }

  /** The stack's outputs, secrets in clear. */
  outputs(): Promise<Record<string, string | undefined>> {
    return this.stack.outputs();
  }

  /** How many resources the stack holds; zero where it is not there. */
  async size(): Promise<number> {
    return (await this.stack.size()) ?? 0;
  }

  /** Destroys everything, what is protected too. */
  async destroy(options: RunOptions): Promise<RunReport> {
    await this.stack.call(["state", "unprotect", "--all", "--yes"]);
    return this.run("destroy", options);
  }

  private async hasStack(): Promise<boolean> {
    return access(await checkpointFile(this.folder)).then(
      () => true,
      () => false,
    );
  }

  private async isLockedByTheDead(): Promise<boolean> {
    const folder = join(this.folder.state, ".pulumi", "locks");
    const files = await readdir(folder, { recursive: true }).catch(() => []);
    for (const file of files.filter((each) => each.endsWith(".json"))) {
      const { pid } = JSON.parse(await readFile(join(folder, file), "utf8")) as { pid: number };
      if (await isPulumi(pid)) {
        throw new Problem(`pulumi, process ${pid.toString()}, is changing this stack: wait until it ends`);
      }
      return true;
    }
    return false;
  }

  /**
   * Removes operations from the state that an engine began and never reported.
   *
   * What was created by them is not in the state, and the next update creates it again. Most resources take over what is
   * there; Helm does not, so it has to forget its release first. etcd is bootstrapped once, so where it has begun that is
   * done.
   */
  private async forgetPending(): Promise<string[]> {
    if (!(await this.hasStack())) return [];
    const state = await this.stack.state();
    const pending = state.deployment.pending_operations ?? [];
    if (pending.length === 0) return [];
    const releases = pending.map(({ resource }) => resource).filter(({ type }) => type === resourceTypes.helmRelease);
    const kubeconfig = outputsOf(state, resourceTypes.kubeconfig)?.kubeconfigRaw;
    if (typeof kubeconfig === "string") await forgetReleases(new Kubernetes(kubeconfig), releases);
    const begun = pending.filter(
      ({ type, resource }) => type === "creating" && resource.type === resourceTypes.bootstrap,
    );
    const done = (await this.isBootstrapped()) ? begun.map(({ resource }) => bootstrapped(resource)) : [];
    const resources = [...(state.deployment.resources ?? []), ...done];
    await this.stack.replaceState({ ...state, deployment: { ...state.deployment, resources, pending_operations: [] } });
    return pending.map(({ type, resource }) => `${type} ${nameOf(resource.urn)}`);
  }

  /** Whether etcd began on one of the lab's machines, by the file that it is started with. */
  private async isBootstrapped(): Promise<boolean> {
    const machines = join(this.folder.path, "machines");
    const names = await readdir(machines).catch(() => []);
    const marks = names.map((name) => join(machines, name, "var", "controlplane", "etcd-membership.json"));
    return (await Promise.all(marks.map((mark) => readIfThere(mark)))).some((mark) => mark !== undefined);
  }
}

const forgetReleases = async (kubernetes: Kubernetes, releases: StateResource[]): Promise<void> => {
  for (const { inputs } of releases) {
    const { name, namespace = "default" } = (revealed(inputs) ?? {}) as { name?: string; namespace?: string };
    if (name !== undefined) await forgetRelease(kubernetes, { name, namespace });
  }
};

/** A bootstrap as the state has it once it is done. */
const bootstrapped = (resource: StateResource): StateResource => {
  const id = "machine_bootstrap";
  return { ...resource, id, outputs: { ...resource.inputs, id } };
};

/** Ends an engine that outlived the command which started it, and what is left of one that was killed. */
export const endOrphan = async (folder: LabFolder): Promise<void> => {
  const pid = Number(await readFile(folder.enginePid, "utf8").catch(() => ""));
  if (pid > 0 && (await isPulumi(pid))) process.kill(pid, "SIGINT");
  const deadline = Date.now() + interruptTimeout;
  while (pid > 0 && (await isPulumi(pid))) {
    // Whoever waited for it is gone, so nobody else will ever end one that hangs.
    if (Date.now() > deadline) process.kill(pid, "SIGKILL");
    await sleep(200);
  }
  await endStrays(folder);
};

const isPulumi = async (pid: number): Promise<boolean> => {
  const command = await readFile(`/proc/${pid.toString()}/cmdline`, "utf8").catch(() => "");
  return (command.split("\0")[0] ?? "").endsWith("pulumi");
};
