import { execa, type Options } from "execa";
import { createWriteStream } from "node:fs";
import { access, mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { Problem } from "../toolchain/problem.ts";
import { checkpointFile, restoreCheckpoint } from "./checkpoint.ts";
import { engineEnvironment } from "../lib/engine/lab-environment.ts";
import { readIfThere } from "./environment.ts";
import { RunReport, type EngineEvent } from "../lib/engine/events.ts";
import type { LabFolder } from "../lib/engine/lab-folder.ts";
import { forgetRelease } from "./helm.ts";
import { Kubernetes } from "../lib/cluster/kubernetes.ts";
import type { LabConfig } from "./lab-config.ts";
import { endStrays } from "./strays.ts";

/** What the engine is asked to do with the whole stack. */
export type Operation = "up" | "preview" | "destroy";

/** How long the engine may take to end after it was interrupted, in milliseconds: it waits for what it has begun. */
const interruptTimeout = 60_000;

export interface RunOptions {
  /** Interrupts the engine, which then finishes what it has begun. */
  signal?: AbortSignal;
  /** Kills the engine. The next run recovers. */
  hurry?: AbortSignal;
  /** Called after each event. */
  onProgress?: (report: RunReport) => void;
}

/** The stack's outputs. */
export interface StackOutputs {
  deployKey?: string;
  kubeconfig?: string;
  talosconfig?: string;
  tunnel?: string;
}

interface StateResource {
  urn: string;
  type: string;
  inputs?: Record<string, unknown>;
  outputs?: Record<string, unknown>;
}

interface Deployment {
  deployment: {
    pending_operations?: { type: string; resource: StateResource }[];
    resources?: StateResource[];
  };
}

/** The real Pulumi engine, with a lab's configuration, state and simulated internet. */
export class Engine {
  private readonly environment: Record<string, string>;

  constructor(
    private readonly folder: LabFolder,
    lab: LabConfig,
    /** The program `pulumi`. */
    private readonly pulumi: string,
  ) {
    this.environment = engineEnvironment(folder, lab);
  }

  /** Makes the stack where there is none, and stores the secrets that its configuration lacks. */
  async prepare(secrets: Record<string, string>): Promise<void> {
    await mkdir(this.folder.state, { recursive: true, mode: 0o700 });
    if (!(await this.hasStack())) {
      // `stack init` writes beside the project file, so it runs in the lab's folder, next to the derived configuration.
      await writeFile(join(this.folder.path, "Pulumi.yaml"), await readFile(join(this.folder.root, "Pulumi.yaml")));
      await this.call(["stack", "init", this.folder.stack, "--no-select"], { cwd: this.folder.path });
    }
    for (const [key, input] of Object.entries(secrets)) {
      await this.call(["config", "set", "--secret", key, ...this.configured], { input });
    }
  }

  /** Takes up what an engine that was killed left behind. Gives what it did, a line each. */
  async recover(): Promise<string[]> {
    await endOrphan(this.folder);
    const did: string[] = [];
    if (await restoreCheckpoint(this.folder)) did.push("took the state that was whole before an engine was killed");
    if (await this.isLockedByTheDead()) {
      await this.call(["cancel", this.folder.stack, "--yes"]);
      did.push("removed the state's lock of an engine that is gone");
    }
    const pending = await this.forgetPending();
    if (pending.length > 0) did.push(`forgot what that engine had begun: ${pending.join(", ")}`);
    return did;
  }

  /** Runs an operation on the whole stack. */
  async run(operation: Operation, { signal, hurry, onProgress }: RunOptions = {}): Promise<RunReport> {
    const log = join(this.folder.logs, `pulumi-${operation}-${new Date().toISOString().replaceAll(/[:.]/g, "-")}.log`);
    await mkdir(this.folder.logs, { recursive: true });
    const output = createWriteStream(log, { mode: 0o600 });
    const report = new RunReport();
    const confirmed = operation === "preview" ? [] : ["--yes", "--skip-preview"];
    const child = execa(this.pulumi, [operation, "--json", ...confirmed, ...this.configured, "--non-interactive"], {
      cwd: this.folder.root,
      env: { ...this.environment, PULUMI_ENABLE_STREAMING_JSON_PREVIEW: "true" },
      // In a process group of its own, so that Ctrl-C reaches it once, from here, and it can end in order.
      detached: true,
      cleanup: false,
      reject: false,
      buffer: { stdout: false },
      stdin: "ignore",
    });
    await writeFile(this.folder.enginePid, String(child.pid ?? ""));
    const kill = (): boolean => child.kill("SIGKILL");
    const interrupt = (): void => {
      child.kill("SIGINT");
      setTimeout(kill, interruptTimeout).unref();
    };
    signal?.addEventListener("abort", interrupt, { once: true });
    hurry?.addEventListener("abort", kill, { once: true });
    try {
      for await (const line of createInterface({ input: child.stdout })) {
        const event = parseEvent(line);
        const text = event === undefined ? line : report.add(event);
        if (text !== undefined) output.write(`${new Date().toISOString()} ${text}\n`);
        onProgress?.(report);
      }
      const { exitCode, stderr, signal: endedBy } = await child;
      output.end(stderr);
      signal?.throwIfAborted();
      if (exitCode !== 0) throw new Problem(failure(operation, report, stderr, endedBy, log));
      return report;
    } finally {
      signal?.removeEventListener("abort", interrupt);
      hurry?.removeEventListener("abort", kill);
      if (signal?.aborted === true) await endStrays(this.folder);
      await rm(this.folder.enginePid, { force: true });
    }
  }

  /** The stack's outputs, secrets in clear. */
  async outputs(): Promise<StackOutputs> {
    const stdout = await this.call(["stack", "output", "--json", "--show-secrets", "--stack", this.folder.stack]);
    return JSON.parse(stdout) as StackOutputs;
  }

  /** How many resources the stack holds; zero where it is not there. */
  async size(): Promise<number> {
    if (!(await this.hasStack())) return 0;
    return (await this.state()).deployment.resources?.length ?? 0;
  }

  /** Destroys everything, what is protected too. */
  async destroy(options: RunOptions): Promise<RunReport> {
    await this.call(["state", "unprotect", "--all", "--yes", "--stack", this.folder.stack]);
    return this.run("destroy", options);
  }

  private get configured(): string[] {
    return ["--stack", this.folder.stack, "--config-file", this.folder.derived];
  }

  private async hasStack(): Promise<boolean> {
    return access(await checkpointFile(this.folder)).then(
      () => true,
      () => false,
    );
  }

  private async state(...flags: string[]): Promise<Deployment> {
    return JSON.parse(await this.call(["stack", "export", "--stack", this.folder.stack, ...flags])) as Deployment;
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
    const state = await this.state();
    const pending = state.deployment.pending_operations ?? [];
    if (pending.length === 0) return [];
    const releases = pending.map(({ resource }) => resource).filter(({ type }) => type === helmReleaseType);
    if (releases.length > 0) await this.forgetReleases(releases);
    const begun = pending.filter(({ type, resource }) => type === "creating" && resource.type === bootstrapType);
    const done = (await this.isBootstrapped()) ? begun.map(({ resource }) => bootstrapped(resource)) : [];
    const resources = [...(state.deployment.resources ?? []), ...done];
    const input = JSON.stringify({ ...state, deployment: { ...state.deployment, resources, pending_operations: [] } });
    await this.call(["stack", "import", "--stack", this.folder.stack], { input });
    return pending.map(({ type, resource }) => `${type} ${resource.urn.split("::").at(-1) ?? resource.urn}`);
  }

  /** Whether etcd began on one of the lab's machines, by the file that it is started with. */
  private async isBootstrapped(): Promise<boolean> {
    const machines = join(this.folder.path, "machines");
    const names = await readdir(machines).catch(() => []);
    const marks = names.map((name) => join(machines, name, "var", "controlplane", "etcd-membership.json"));
    return (await Promise.all(marks.map((mark) => readIfThere(mark)))).some((mark) => mark !== undefined);
  }

  private async forgetReleases(releases: StateResource[]): Promise<void> {
    const { resources = [] } = (await this.state("--show-secrets")).deployment;
    const kubeconfig = plain(resources.find(({ type }) => type === kubeconfigType)?.outputs?.kubeconfigRaw);
    if (kubeconfig === undefined) return;
    for (const { inputs = {} } of releases) {
      const [name, namespace] = [plain(inputs.name), plain(inputs.namespace) ?? "default"];
      if (name !== undefined) await forgetRelease(new Kubernetes(kubeconfig), { name, namespace });
    }
  }

  private async call(args: string[], options: Pick<Options, "cwd" | "input"> = {}): Promise<string> {
    const result = await execa(this.pulumi, [...args, "--non-interactive"], {
      cwd: this.folder.root,
      ...options,
      env: this.environment,
      reject: false,
      stripFinalNewline: true,
    });
    if (result.exitCode !== 0) {
      const reason = result.stderr.trim().split("\n").at(-1) ?? "";
      throw new Problem(`pulumi ${args.slice(0, 2).join(" ")} failed: ${reason.replace(/^error: /, "")}`);
    }
    return result.stdout;
  }
}

const bootstrapType = "talos:machine/bootstrap:Bootstrap";

/** A bootstrap as the state has it once it is done. */
const bootstrapped = (resource: StateResource): object => {
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

const helmReleaseType = "kubernetes:helm.sh/v3:Release";
const kubeconfigType = "talos:cluster/kubeconfig:Kubeconfig";

/** A string of an exported state, also one that was secret. */
const plain = (value: unknown): string | undefined => {
  if (typeof value === "string") return value;
  if (typeof value !== "object" || value === null || !("plaintext" in value)) return undefined;
  return JSON.parse(String(value.plaintext)) as string;
};

const parseEvent = (line: string): EngineEvent | undefined => {
  try {
    return JSON.parse(line) as EngineEvent;
  } catch {
    return undefined;
  }
};

const failure = (
  operation: Operation,
  { errors }: RunReport,
  stderr: string,
  endedBy: string | undefined,
  log: string,
): string => {
  const reasons = errors.length > 0 ? errors : [lastLine(stderr, endedBy)];
  return [`pulumi ${operation} failed (log: ${log}):`, ...reasons.map((reason) => indent(reason))].join("\n");
};

const lastLine = (stderr: string, endedBy: string | undefined): string =>
  endedBy === undefined ? (stderr.trim().split("\n").at(-1) ?? "") : `it was ended by ${endedBy}; run this again`;

const indent = (text: string): string => text.replaceAll(/^/gm, "  ");

const isPulumi = async (pid: number): Promise<boolean> => {
  const command = await readFile(`/proc/${pid.toString()}/cmdline`, "utf8").catch(() => "");
  return (command.split("\0")[0] ?? "").endsWith("pulumi");
};
