import { dirname } from "node:path";
import { createInterface } from "node:readline";

import { execa } from "execa";

import { RunReport, type EngineEvent } from "./events.ts";
import { Problem } from "../../toolchain/problem.ts";
import { Locked } from "./locked.ts";
import type { Target } from "./target.ts";
import type { Deployment } from "./deployment.ts";
import { endEngine } from "./processes.ts";

export interface RunOptions {
  /** Beside what the engine's environment has. */
  environment?: Record<string, string>;
  signal?: AbortSignal;
  /** Told of the engine's process. */
  onStart?: (pid: number) => Promise<void> | void;
  onProgress?: (report: RunReport) => void;
}

/** How long the engine may take to end after it was interrupted, in milliseconds. */
const interruptTimeout = 60_000;

/** A stack's engine: its state, and what is run on the whole of it. */
export class PulumiStack {
  constructor(private readonly target: Target) {}

  /** Environment of the engine's processes. */
  get environment(): NodeJS.ProcessEnv {
    return { ...process.env, ...this.target.environment, PULUMI_SKIP_UPDATE_CHECK: "true" };
  }

  get program(): string {
    return this.target.program;
  }

  /** How many resources its state has; undefined where there is no state. */
  async size(): Promise<number | undefined> {
    const stacks = JSON.parse(await this.call(["stack", "ls", "--json"])) as { name: string; resourceCount?: number }[];
    const found = stacks.find(({ name }) => name.split("/").at(-1) === this.target.stack);
    return found && (found.resourceCount ?? 0);
  }

  /** Makes an empty state. A stack file that has a salt keeps it, so its secrets stay readable. */
  async init(): Promise<void> {
    await this.call(["stack", "init", this.target.stack, "--no-select"]);
  }

  /** The state, secrets in clear. */
  async state(): Promise<Deployment> {
    return JSON.parse(await this.target.pulumi(["stack", "export", "--show-secrets"])) as Deployment;
  }

  /**
   * Puts a state in place of the present one. Its secrets are encrypted by the stack's own key.
   *
   * @throws Locked where somebody else is changing it; of an engine that was killed here, the lock and the plugins are cleared away
   */
  async replaceState(state: Deployment): Promise<void> {
    const replace = () => this.target.pulumi(["stack", "import"], { input: JSON.stringify(state) });
    await replace().catch(async (error: unknown) => {
      if (!(error instanceof Locked && error.isStale)) throw error;
      for (const engine of error.engines) await endEngine(engine);
      await this.unlock();
      return replace();
    });
  }

  /** Takes the lock of an engine that is gone off the state. */
  async unlock(): Promise<void> {
    await this.target.pulumi(["cancel", "--yes"]);
  }

  /** Runs an operation on the whole stack. */
  async run(operation: "up" | "preview", options: RunOptions = {}): Promise<RunReport> {
    const { root, stack, stackFile } = this.target;
    const report = new RunReport();
    const confirmed = operation === "up" ? ["--yes", "--skip-preview"] : [];
    const child = execa(
      this.program,
      [operation, "--json", ...confirmed, "--stack", stack, "--config-file", stackFile, "--non-interactive"],
      {
        cwd: root,
        env: { ...this.environment, ...options.environment, PULUMI_ENABLE_STREAMING_JSON_PREVIEW: "true" },
        extendEnv: false,
        // In a process group of its own, so that Ctrl-C reaches it once, from here, and it can end in order.
        detached: true,
        cleanup: false,
        reject: false,
        buffer: { stdout: false },
        stdin: "ignore",
      },
    );
    if (child.pid !== undefined) await options.onStart?.(child.pid);
    const interrupt = (): void => {
      child.kill("SIGINT");
      setTimeout(() => child.kill("SIGKILL"), interruptTimeout).unref();
    };
    options.signal?.addEventListener("abort", interrupt, { once: true });
    try {
      for await (const line of createInterface({ input: child.stdout })) {
        const event = parseEvent(line);
        if (event === undefined) continue;
        report.add(event);
        options.onProgress?.(report);
      }
      const { exitCode, stderr } = await child;
      options.signal?.throwIfAborted();
      if (exitCode !== 0) throw new Problem(failure(operation, report, stderr));
      return report;
    } finally {
      options.signal?.removeEventListener("abort", interrupt);
    }
  }

  /** Runs a command on no stack, beside the stack file: what it has to note, it notes there. */
  private async call(args: string[]): Promise<string> {
    const { exitCode, stdout, stderr } = await execa(this.program, [...args, "--non-interactive"], {
      cwd: dirname(this.target.stackFile),
      env: this.environment,
      extendEnv: false,
      reject: false,
      stdin: "ignore",
    });
    if (exitCode === 0) return stdout;
    const reason = stderr.trim().split("\n").at(-1) ?? "";
    throw new Problem(`pulumi ${args.slice(0, 2).join(" ")} failed: ${reason.replace(/^error: /, "")}`);
  }
}

const parseEvent = (line: string): EngineEvent | undefined => {
  try {
    return JSON.parse(line) as EngineEvent;
  } catch {
    return undefined;
  }
};

const failure = (operation: string, { errors }: RunReport, stderr: string): string => {
  const reasons = errors.length > 0 ? errors : [stderr.trim().split("\n").at(-1) ?? "it said nothing"];
  return [`pulumi ${operation} failed:`, ...reasons.map((reason) => reason.replaceAll(/^/gm, "  "))].join("\n");
};
