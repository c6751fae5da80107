import { spawn } from "node:child_process";
import { mkdir, open, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Problem } from "../toolchain/problem.ts";
import type { LabFolder } from "../lib/engine/lab-folder.ts";
import { isRunning } from "../toolchain/running.ts";

/** One process of the lab, as the supervisor reports it. */
export interface Part {
  name: string;
  state: "running" | "waiting" | "failed" | "exited" | "stopped";
  pid?: number;
  restarts: number;
  ready: boolean;
  address: string;
  /** Why it is not ready, in one line. */
  error?: string;
  log: string;
}

/** The supervisor's answer to `GET /status`. */
export interface SupervisorStatus {
  stack: string;
  pid: number;
  started: string;
  ready: boolean;
  stopping: boolean;
  children: Part[];
}

/** What the supervisor and everything that it started use. Shared memory counts once. */
export interface MemoryUse {
  bytes: number;
  peakBytes: number;
  processes: number;
}

/** How long all simulators together may take to listen, in milliseconds. */
const startTimeout = 60_000;
/** How long everything may take to stop, in milliseconds. Machines stop their own processes first. */
const stopTimeout = 90_000;

/** The supervisor of a lab. It outlives the command that starts it. */
export class Supervisor {
  private readonly pidFile: string;
  private readonly log: string;

  constructor(
    private readonly folder: LabFolder,
    /** host:port of its API. */
    private readonly address: string,
  ) {
    this.pidFile = join(folder.path, "supervisor.pid");
    this.log = join(folder.logs, "supervisor.log");
  }

  /** The supervisor's status. Undefined if it does not run. */
  async status(): Promise<SupervisorStatus | undefined> {
    const answer = await this.ask("GET", "/status").catch(() => undefined);
    if (answer === undefined) return undefined;
    if (!answer.ok) throw new Problem(await this.foreign(answer));
    return (await answer.json()) as SupervisorStatus;
  }

  /** Measures the memory that the lab uses. Undefined if it does not run. */
  async memory(): Promise<MemoryUse | undefined> {
    const answer = await this.ask("GET", "/memory").catch(() => undefined);
    return answer?.ok === true ? ((await answer.json()) as MemoryUse) : undefined;
  }

  /** Starts the supervisor if it does not run, and waits until every simulator listens. */
  async start(program: string): Promise<void> {
    const running = await this.status();
    if (running?.ready === true) return;
    if (running === undefined) await this.spawn(program);
    await this.waitUntilReady();
  }

  /** Stops the supervisor and everything that it started. @returns false if it did not run */
  async stop(): Promise<boolean> {
    const status = await this.status();
    if (status === undefined) return false;
    await this.ask("POST", "/stop", stopTimeout).catch(() => undefined);
    const deadline = Date.now() + stopTimeout;
    while (isRunning(status.pid)) {
      if (Date.now() > deadline) {
        throw new Problem(
          `The lab's supervisor, process ${status.pid.toString()}, does not stop: see ${this.log}, or end it with kill -9`,
        );
      }
      await sleep(100);
    }
    return true;
  }

  private async spawn(program: string): Promise<void> {
    await mkdir(this.folder.logs, { recursive: true });
    await rm(this.pidFile, { force: true });
    const output = await open(this.log, "a", 0o600);
    const child = spawn(program, ["supervise", "--config", this.folder.config], {
      cwd: this.folder.path,
      detached: true,
      stdio: ["ignore", output.fd, output.fd],
    });
    const ended = new Promise<"ended">((resolve) =>
      child.once("exit", () => {
        resolve("ended");
      }),
    );
    child.unref();
    await output.close();
    const deadline = Date.now() + startTimeout;
    while ((await this.status()) === undefined) {
      const next = await Promise.race([ended, sleep(100)]);
      if (next === "ended") throw new Problem(await this.lastLine());
      if (Date.now() > deadline) throw new Problem(`The lab's supervisor does not answer: see ${this.log}`);
    }
  }

  private async waitUntilReady(): Promise<void> {
    const deadline = Date.now() + startTimeout;
    for (;;) {
      const status = await this.status();
      if (status === undefined) throw new Problem(await this.lastLine());
      if (status.ready) return;
      const failed = status.children.find((part) => part.state === "failed");
      const late = Date.now() > deadline ? status.children.find((part) => !part.ready) : undefined;
      const part = failed ?? late;
      if (part !== undefined) {
        await this.stop();
        throw new Problem(
          `The lab's ${part.name} does not start: ${part.error ?? "no reason given"} (log: ${part.log})`,
        );
      }
      await sleep(100);
    }
  }

  private async ask(method: string, path: string, timeout = 5000): Promise<Response> {
    const token = await readFile(join(this.folder.path, "supervisor.token"), "utf8");
    return fetch(`http://${this.address}${path}`, {
      method,
      headers: { Authorization: `Bearer ${token.trim()}` },
      signal: AbortSignal.timeout(timeout),
    });
  }

  private async foreign(answer: Response): Promise<string> {
    await answer.body?.cancel();
    return (
      `${this.address} is in use by something other than this lab, perhaps by the lab of another checkout: ` +
      `run \`npm run lab -- down ${this.folder.stack}\` there`
    );
  }

  /** The reason that the supervisor logged before it ended. */
  private async lastLine(): Promise<string> {
    const lines = (await readFile(this.log, "utf8").catch(() => "")).trim().split("\n");
    return `The lab does not start: ${(lines.at(-1) ?? "").replace(/^hearth-lab: (supervise: )?/, "")} (log: ${this.log})`;
  }
}
