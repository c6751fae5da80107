import { copyFile, readFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";

import { proxmoxSchema } from "../../infra/platforms/proxmox/settings.ts";
import { parseStackFile, rawOf } from "../../infra/config/stack-file.ts";
import { Problem } from "../../toolchain/problem.ts";
import { withPrivateFolder } from "../secrets/private-folder.ts";
import { writeWhole } from "../terminal/whole-file.ts";
import { withoutCredentials } from "./backend.ts";
import { Locked, lockHolders, type LockHolder } from "./locked.ts";
import { endEngine } from "./processes.ts";
import { namedCertificates } from "./proxmox-trust.ts";
import { complaints, type Ended, type Pulumi, type StreamOptions } from "./pulumi.ts";
import type { FailedResource, RunReport } from "./report.ts";
import type { State } from "./state.ts";

/** What the engine is asked to do with a whole stack, as its command and flags. */
export type Operation = readonly ["preview" | "up" | "refresh" | "destroy", ...string[]];

/** An update without a prompt. */
export const update: Operation = ["up", "--yes", "--skip-preview"];

export interface RunOptions extends StreamOptions {
  /** Policy packs to run instead of those that the environment names. */
  policyPacks?: readonly string[];
}

/** A stack's engine: its state, and what is run on the whole of it. */
export class PulumiStack {
  constructor(
    readonly pulumi: Pulumi,
    readonly name: string,
    /** The stack file that the engine runs with. */
    readonly file: string,
  ) {}

  /** Runs a command on the stack and gives what it printed. */
  call(args: string[], input?: string): Promise<string> {
    return this.pulumi.call([...args, "--stack", this.name], this.name, input === undefined ? {} : { input });
  }

  /** Runs a command that reads the configuration. */
  configure(args: string[]): Promise<string> {
    return this.call([...args, "--config-file", this.file]);
  }

  /** A secret of Hearth's configuration; empty where it has none, or Pulumi cannot read it, as without a state. */
  secret(name: string): Promise<string> {
    return this.configure(["config", "get", `hearth:${name}`]).catch(() => "");
  }

  /** Runs a command that changes the configuration, in a copy: Pulumi writes in place, and a kill would leave half a stack file. */
  async reconfigure(args: string[], input?: string): Promise<void> {
    await withPrivateFolder(async (folder) => {
      const copy = join(folder, basename(this.file));
      await copyFile(this.file, copy);
      await this.call([...args, "--config-file", copy], input);
      await writeWhole(this.file, await readFile(copy));
    });
  }

  /** How many resources its state has; undefined where there is no state. */
  async size(): Promise<number | undefined> {
    const text = await this.pulumi.call(["stack", "ls", "--json"], this.name);
    const stacks = JSON.parse(text) as { name: string; resourceCount?: number }[];
    const found = stacks.find(({ name }) => name.split("/").at(-1) === this.name);
    return found && (found.resourceCount ?? 0);
  }

  /** URL of the backend that holds the state, without credentials. */
  async backend(): Promise<string> {
    const { url } = JSON.parse(await this.pulumi.call(["whoami", "--verbose", "--json"], this.name)) as { url: string };
    return withoutCredentials(url);
  }

  /** Makes an empty state. A stack file that has a salt keeps it, so its secrets stay readable. */
  async init(): Promise<void> {
    // Pulumi writes what it notes of a new stack next to the project that it runs in.
    const cwd = dirname(this.file);
    await this.pulumi.call(["stack", "init", this.name, "--no-select"], this.name, { cwd });
  }

  /** The state, secrets in the clear. They stay in memory. */
  async state(): Promise<State> {
    return JSON.parse(await this.call(["stack", "export", "--show-secrets"])) as State;
  }

  /** The state as text, its secrets encrypted as the engine encrypts them. */
  sealedState(): Promise<string> {
    return this.call(["stack", "export"]);
  }

  /** The stack's outputs, secrets in the clear. */
  async outputs(): Promise<Record<string, string | undefined>> {
    return JSON.parse(await this.call(["stack", "output", "--json", "--show-secrets"])) as Record<string, string>;
  }

  /**
   * Puts a state in place of the present one. Its secrets are encrypted by the stack's own key.
   *
   * @throws Locked if somebody else is changing it. If an engine was killed on this computer, its lock and plugins are removed first
   */
  async replaceState(state: State): Promise<void> {
    await this.withoutStaleLock(() => this.call(["stack", "import"], JSON.stringify(state)));
  }

  /**
   * Changes the present state. It imports nothing over a state that was written in the meantime.
   *
   * @param into the same stack, as an engine has it that encrypts by another passphrase
   * @throws Problem if somebody else has written it since it was read
   */
  async changeState(change: (state: State) => State, into: PulumiStack = this): Promise<void> {
    const before = await this.sealedState();
    const changed = change(await this.state());
    await this.requireUnmoved(before);
    await into.replaceState(changed);
  }

  /** Puts a state whose secrets are encrypted in place of the present one, unless that was written since it was read. */
  async importOver(before: string, sealed: string): Promise<void> {
    await this.requireUnmoved(before);
    await this.call(["stack", "import"], sealed);
  }

  private async requireUnmoved(before: string): Promise<void> {
    if ((await this.sealedState()) === before) return;
    throw new Problem(
      `The state of ${this.name} was changed by somebody else meanwhile, and is left as it is: run this again`,
    );
  }

  /** Does work. If the state is locked by engines that are proven to be gone, it removes their lock and does the work again. */
  private async withoutStaleLock<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof Locked && (await error.isStale()))) throw error;
      await this.takeLockAway(error);
      return work();
    }
  }

  /** Ends what is left of engines that are gone, and removes their lock. */
  private async takeLockAway({ engines }: Locked): Promise<void> {
    for (const engine of engines) await endEngine(engine);
    await this.unlock();
  }

  /** Removes every lock from the state, whoever holds it: callers prove first that the holders are gone. */
  async unlock(): Promise<void> {
    await this.call(["cancel", "--yes"]);
  }

  /**
   * Runs an operation on the whole stack, and returns how it ended. If an engine was killed on this computer, its lock and plugins are removed
   * first. An update that failed only because the Kubernetes API did not answer is done again.
   */
  async try(operation: Operation, options: RunOptions = {}): Promise<Ended> {
    const first = await this.tryOnce(operation, options);
    const ended = isUnreached(operation, first) ? await this.tryOnce(operation, options) : first;
    const holders = ended.exitCode === 0 ? [] : lockHoldersOf(ended);
    const locked = new Locked(this.name, holders);
    if (holders.length === 0 || !(await locked.isStale())) return ended;
    await this.takeLockAway(locked);
    return this.tryOnce(operation, options);
  }

  private async tryOnce(
    [command, ...flags]: Operation,
    { policyPacks, environment, ...options }: RunOptions,
  ): Promise<Ended> {
    const packs = (policyPacks ?? []).flatMap((pack) => ["--policy-pack", pack]);
    const args = [command, ...flags, "--stack", this.name, "--config-file", this.file, ...packs];
    const named = policyPacks === undefined ? {} : { PULUMI_OPTION_POLICY_PACK: undefined };
    const certificates = await this.certificates();
    return this.pulumi.stream(args, this.name, { ...options, certificates, environment: { ...environment, ...named } });
  }

  /**
   * What the stack's plugins have to trust beside the system's certificates, PEM.
   *
   * @throws Problem if Proxmox has another certificate than the stack file says
   */
  async certificates(): Promise<string[]> {
    const text = await readFile(this.file, "utf8").catch(() => "");
    const { data } = proxmoxSchema.safeParse(rawOf(parseStackFile(text)).proxmox);
    return data === undefined ? [] : namedCertificates(data);
  }

  /**
   * Runs an operation on the whole stack, as `try` does.
   *
   * @param log file with the whole output
   * @throws Locked if somebody else is changing the state, else Problem if it fails
   */
  async run(operation: Operation, options: RunOptions & { log?: string } = {}): Promise<RunReport> {
    const ended = await this.try(operation, options);
    if (ended.exitCode !== 0) throw this.failed(operation, ended, options.log);
    return ended.report;
  }

  /** How a run failed, with its reasons. */
  failed([command]: Operation, ended: Ended, log?: string): Problem {
    const holders = lockHoldersOf(ended);
    if (holders.length > 0) return new Locked(this.name, holders);
    const where = log === undefined ? "" : ` (log: ${log})`;
    const reasons = complaints(ended).map((reason) => reason.replaceAll(/^/gm, "  "));
    const said = [`pulumi ${command} of ${this.name} failed${where}:`, ...reasons].join("\n");
    return new RunFailed(said, ended.report.failures);
  }
}

/**
 * Whether an update failed for nothing but that the Kubernetes API did not answer when the plugin started. It asks once, and no more in that run;
 * the program waits for the API in each. What was replaced on demand would be replaced twice.
 *
 * Source: pulumi/pulumi-kubernetes v4.34.2, provider/pkg/provider/provider.go, clusterUnreachable.
 */
const isUnreached = ([command, ...flags]: Operation, { exitCode, report: { failures, errors } }: Ended): boolean =>
  exitCode !== 0 &&
  command === "up" &&
  !flags.includes("--replace") &&
  failures.length > 0 &&
  failures.length === errors.length &&
  failures.every(({ message }) => /unreachable cluster|cluster is unreachable/.test(message));

const lockHoldersOf = ({ report, stderr }: Ended): LockHolder[] => lockHolders([...report.errors, stderr].join("\n"));

/** A run of the engine that failed. */
export class RunFailed extends Problem {
  constructor(
    message: string,
    readonly failures: readonly FailedResource[],
  ) {
    super(message);
  }
}
