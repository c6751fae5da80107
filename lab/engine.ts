import { access, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { engineEnvironment } from "../lib/engine/lab-environment.ts";
import type { LabFolder } from "../lib/engine/lab-folder.ts";
import { Locked, lockHoldersIn } from "../lib/engine/locked.ts";
import { endEngine } from "../lib/engine/processes.ts";
import { PulumiStack, update, type Operation, type RunOptions } from "../lib/engine/pulumi-stack.ts";
import { Pulumi } from "../lib/engine/pulumi.ts";
import type { RunReport } from "../lib/engine/report.ts";
import { Journal } from "../lib/recovery/journal.ts";
import { checkpointFile, keptState, restoreCheckpoint } from "./checkpoint.ts";
import { openLog } from "./engine-log.ts";
import type { LabConfig } from "./lab-config.ts";

/** How long an interrupted engine may take to end, in milliseconds. It waits for the operations that it has begun. */
const interruptTimeout = 60_000;

/** The engine's operations, by their name in the names of logs. */
const operations: Record<"up" | "preview" | "destroy", Operation> = {
  up: update,
  preview: ["preview"],
  destroy: ["destroy", "--yes", "--skip-preview"],
};

/** The real Pulumi engine, with a lab's configuration, state and simulated internet. */
export class Engine {
  readonly stack: PulumiStack;

  constructor(
    private readonly folder: LabFolder,
    lab: LabConfig,
    /** The program `pulumi`. */
    pulumi: string,
  ) {
    const engine = new Pulumi(pulumi, folder.root, engineEnvironment(folder, lab));
    this.stack = new PulumiStack(engine, folder.stack, folder.derived);
  }

  /** Creates the stack if it does not exist, and stores the secrets that its configuration lacks. */
  async prepare(secrets: Record<string, string>): Promise<void> {
    await mkdir(this.folder.state, { recursive: true, mode: 0o700 });
    if (!(await this.hasStack())) {
      // `stack init` writes beside the project file, so it runs in the lab's folder, next to the derived configuration.
      await writeFile(join(this.folder.path, "Pulumi.yaml"), await readFile(join(this.folder.root, "Pulumi.yaml")));
      await this.stack.init();
    }
    for (const [key, value] of Object.entries(secrets)) {
      await this.stack.reconfigure(["config", "set", "--secret", key], value);
    }
  }

  /**
   * Ends an engine that was killed with its command, removes its lock and repairs its state. Returns what it did, one
   * line each.
   */
  async recover(): Promise<string[]> {
    await endOrphan(this.folder);
    const did: string[] = [];
    if (await restoreCheckpoint(this.folder)) did.push("took the state that was whole before an engine was killed");
    const holders = await lockHoldersIn(this.folder.state);
    if (holders.length > 0) {
      const locked = new Locked(this.folder.stack, holders);
      if (!(await locked.isStale())) throw locked;
      await this.stack.unlock();
      did.push("removed the state's lock of an engine that is gone");
    }
    return did;
  }

  /** Runs an operation on the whole stack. */
  async run(name: keyof typeof operations, options: RunOptions = {}): Promise<RunReport> {
    const log = await openLog(this.folder, name);
    const operation = operations[name];
    try {
      const ended = await this.stack.try(operation, {
        ...options,
        interruptTimeout,
        onStart: (pid) => writeFile(this.folder.enginePid, pid.toString()),
        onLine: log.line,
      });
      log.text(ended.stderr);
      if (ended.exitCode !== 0) throw this.stack.failed(operation, ended, log.path);
      return ended.report;
    } finally {
      log.end();
      await endOrphan(this.folder);
      await rm(this.folder.enginePid, { force: true });
    }
  }

  /** The stack's outputs, with secrets in clear. */
  outputs(): Promise<Record<string, string | undefined>> {
    return this.stack.outputs();
  }

  /** The number of resources in the stack, zero if the stack does not exist. */
  async size(): Promise<number> {
    return (await keptState(this.folder))?.resources?.length ?? 0;
  }

  /** Destroys all resources, including protected ones. */
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
}

/** Ends an engine that outlived the command that started it, and the processes of a killed one. */
export const endOrphan = async (folder: LabFolder): Promise<void> => {
  const pid = Number(await readFile(folder.enginePid, "utf8").catch(() => ""));
  if (pid > 0) await endEngine(pid);
  for (const each of (await Journal.open(folder.recovery)).current?.processes ?? []) await endEngine(each);
};
