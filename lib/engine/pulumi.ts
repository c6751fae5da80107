import { createInterface } from "node:readline";

import { execa } from "execa";

import { trusting } from "../../infra/authorities.ts";
import { codeOf, Problem } from "../../toolchain/problem.ts";
import { openEngineFolder, type EngineFolder } from "./engine-folder.ts";
import { readEvent, type EngineEvent } from "./events.ts";
import { Locked, lockHolders } from "./locked.ts";
import { RunReport } from "./report.ts";

/** Variables in addition to this process's; undefined unsets one. */
export type Environment = Record<string, string | undefined>;

export interface CallOptions {
  input?: string;
  /** Folder to run in. @default the checkout's root */
  cwd?: string;
}

export interface StreamOptions {
  /** Beside what the engine's environment has. */
  environment?: Environment;
  /** Certificates that plugins trust beside the system's, PEM. */
  certificates?: readonly string[];
  /** Interrupts the engine, which then finishes what it has begun. */
  signal?: AbortSignal | undefined;
  /** How long it may take to finish, in milliseconds, before it is killed. @default no limit */
  interruptTimeout?: number;
  /** Kills the engine. */
  hurry?: AbortSignal | undefined;
  /** Called with the ID of the engine's process. */
  onStart?: (pid: number) => Promise<void> | void;
  /** Called with each event. */
  onEvent?: (event: EngineEvent) => void;
  /** Called after each event. */
  onProgress?: (report: RunReport) => void;
  /** Called with each line for a log. */
  onLine?: (line: string) => void;
}

/** How a run of the engine ended. */
export interface Ended {
  report: RunReport;
  exitCode: number;
  /** The engine's standard error. */
  stderr: string;
  /** The signal that ended it. */
  endedBy: string | undefined;
}

/** Runs the program `pulumi`. */
export class Pulumi {
  constructor(
    readonly program: string,
    /** The checkout's root. */
    readonly root: string,
    /** Variables that its processes have in addition to this process's. */
    readonly environment: Environment = {},
  ) {}

  /**
   * Runs a command and gives what it printed.
   *
   * @param stack the stack's name, for messages
   * @throws Locked if somebody else is changing the state, else Problem with the last line of its standard error
   */
  async call(args: string[], stack: string, { input, cwd = this.root }: CallOptions = {}): Promise<string> {
    const result = await this.inFolder(async ({ environment, usedBy }) => {
      const child = execa(this.program, [...args, "--non-interactive"], {
        cwd,
        env: this.whole(environment),
        extendEnv: false,
        reject: false,
        maxBuffer: 2 ** 30,
        ...(input === undefined ? { stdin: "ignore" as const } : { input }),
      });
      if (child.pid !== undefined) usedBy(child.pid);
      return child;
    });
    if (result.exitCode === 0) return result.stdout;
    if (result.exitCode === undefined) throw didNotRun(result, stack);
    const holders = lockHolders(result.stderr);
    if (holders.length > 0) throw new Locked(stack, holders);
    const reason = lastLine(result.stderr);
    if (reason.includes("no stack named")) {
      throw new Problem(
        `There is no stack ${stack} in this state backend: pulumi stack init ${stack} makes it, pulumi login chooses another backend`,
      );
    }
    throw new Problem(`pulumi ${args.slice(0, 2).join(" ")} failed for ${stack}: ${reason}`);
  }

  /**
   * Runs an operation and follows its events.
   *
   * @throws the signal's reason where it was interrupted
   */
  stream(args: string[], stack: string, options: StreamOptions = {}): Promise<Ended> {
    return this.inFolder((folder) => this.follow(args, stack, options, folder));
  }

  private async follow(
    args: string[],
    stack: string,
    options: StreamOptions,
    { environment, usedBy, write }: EngineFolder,
  ): Promise<Ended> {
    const report = new RunReport();
    const { certificates = [] } = options;
    const trust =
      certificates.length === 0
        ? {}
        : trusting(write("certificates/named.pem", certificates.join("\n")), this.whole(options.environment));
    const child = execa(this.program, [...args, "--json", "--non-interactive"], {
      cwd: this.root,
      env: this.whole({
        ...options.environment,
        ...environment,
        ...trust,
        PULUMI_ENABLE_STREAMING_JSON_PREVIEW: "true",
      }),
      extendEnv: false,
      // In a process group of its own, so that Ctrl-C reaches it once, from here, and it can end in order.
      detached: true,
      cleanup: false,
      reject: false,
      buffer: { stdout: false },
      stdin: "ignore",
    });
    if (child.pid !== undefined) {
      usedBy(child.pid);
      await options.onStart?.(child.pid);
    }
    const kill = (): void => void child.kill("SIGKILL");
    const interrupt = (): void => {
      child.kill("SIGINT");
      if (options.interruptTimeout !== undefined) setTimeout(kill, options.interruptTimeout).unref();
    };
    options.signal?.addEventListener("abort", interrupt, { once: true });
    options.hurry?.addEventListener("abort", kill, { once: true });
    try {
      for await (const line of createInterface({ input: child.stdout })) {
        const event = readEvent(line);
        const text = event === undefined ? line : report.add(event);
        if (text !== undefined) options.onLine?.(text);
        if (event === undefined) continue;
        options.onEvent?.(event);
        options.onProgress?.(report);
      }
      const result = await child;
      options.signal?.throwIfAborted();
      if (result.exitCode === undefined && result.signal === undefined) throw didNotRun(result, stack);
      return { report, exitCode: result.exitCode ?? 1, stderr: result.stderr, endedBy: result.signal };
    } finally {
      options.signal?.removeEventListener("abort", interrupt);
      options.hurry?.removeEventListener("abort", kill);
    }
  }

  /** Lends work a folder for the temporary files of the engine. */
  private async inFolder<T>(work: (folder: EngineFolder) => Promise<T>): Promise<T> {
    const folder = openEngineFolder();
    try {
      return await work(folder);
    } finally {
      folder.remove();
    }
  }

  /** Environment of a process, whole. */
  whole(more: Environment = {}): NodeJS.ProcessEnv {
    return { ...process.env, ...this.environment, PULUMI_SKIP_UPDATE_CHECK: "true", ...more };
  }
}

/** The reasons why a run failed, a line each, as far as they are known. */
export const complaints = ({ report, stderr, endedBy }: Ended): string[] => {
  if (report.errors.length > 0) return report.errors;
  if (endedBy !== undefined) return [`it was ended by ${endedBy}; run this again`];
  return stderr.trim() === "" ? ["it said nothing"] : stderr.trim().split("\n").slice(-3);
};

const lastLine = (stderr: string): string => (stderr.trim().split("\n").at(-1) ?? "").replace(/^error: /, "");

const didNotRun = (error: { cause?: unknown; shortMessage?: string }, stack: string): Problem =>
  codeOf(error.cause) === "ENOENT"
    ? new Problem(
        `There is no pulumi on PATH: install it, or for the lab run eval "$(npm run --silent lab -- env ${stack})"`,
      )
    : new Problem(`pulumi was ended: ${error.shortMessage ?? "nobody knows why"}`);
