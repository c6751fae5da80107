import { spawn, type ChildProcess } from "node:child_process";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";

import { Client, credentials, Metadata, status, type ClientUnaryCall, type ServiceError } from "@grpc/grpc-js";

import { Problem } from "../../../toolchain/problem.ts";
import { openEngineFolder, type EngineFolder } from "../../engine/engine-folder.ts";
import { endTree } from "../../engine/processes.ts";

/** How long a plugin may take until it listens, in milliseconds. */
const startTimeout = 120_000;

/** Limits of a message. The schemas of some plugins are large; the engine has the same limits. */
export const messageLimits = {
  "grpc.max_receive_message_length": 400 * 1024 * 1024,
  "grpc.max_send_message_length": 400 * 1024 * 1024,
};

/** The reason why a plugin ended. The rest of its output may contain secrets. */
const reasonIn = (complaint: string): string => {
  const lines = complaint.trim().split("\n");
  return lines.find((line) => line.startsWith("panic: ")) ?? lines.at(-1) ?? "";
};

/** The program `pulumi`, and what it runs with. */
export interface PulumiProgram {
  program: string;
  environment: NodeJS.ProcessEnv;
  /** Called for each process that is started, so that it can be ended if this process is killed. */
  onStart?: (pid: number) => void;
}

/** A plugin of Pulumi that was started here, not by the engine. */
export class Plugin {
  private constructor(
    private readonly process: ChildProcess,
    private readonly client: Client,
    private readonly stderrTail: () => string,
    private readonly folder: EngineFolder,
  ) {}

  /** Its stderr tail, if it ended without being asked to. */
  private async crash(): Promise<string | undefined> {
    const hasEnded = (): boolean => this.process.exitCode !== null || this.process.signalCode !== null;
    for (let tries = 0; tries < 20 && !hasEnded(); tries += 1) await sleep(100);
    return hasEnded() ? this.stderrTail() : undefined;
  }

  /**
   * Starts a plugin by `pulumi plugin run`, which finds it as the engine does and gives it the engine's environment.
   *
   * @param name the package's
   * @param engine address that the plugin sends its messages to
   */
  static async start(pulumi: PulumiProgram, name: string, engine: string): Promise<Plugin> {
    const folder = openEngineFolder();
    const child = spawn(pulumi.program, ["plugin", "run", "--kind", "resource", name, "--", engine], {
      env: { ...pulumi.environment, ...folder.environment },
      stdio: ["ignore", "pipe", "pipe"],
    });
    child.once("error", folder.remove);
    child.once("close", folder.remove);
    if (child.pid !== undefined) {
      folder.usedBy(child.pid);
      pulumi.onStart?.(child.pid);
    }
    let complaint = "";
    child.stderr.on("data", (chunk: Buffer) => (complaint = (complaint + chunk.toString()).slice(-4000)));
    const port = await new Promise<string>((resolve, reject) => {
      const fail = (): void => {
        reject(new Problem(`The Pulumi plugin ${name} does not start: ${reasonIn(complaint)}`));
      };
      const timer = setTimeout(fail, startTimeout);
      createInterface({ input: child.stdout }).once("line", (line) => {
        clearTimeout(timer);
        resolve(line.trim());
      });
      child.once("error", fail);
      child.once("exit", fail);
    });
    const client = new Client(`127.0.0.1:${port}`, credentials.createInsecure(), messageLimits);
    return new Plugin(child, client, () => reasonIn(complaint), folder);
  }

  /** Calls a method with a message as it is. */
  call(method: string, request: Buffer, onCall: (call: ClientUnaryCall) => void = () => undefined): Promise<Buffer> {
    const raw = (value: Buffer): Buffer => value;
    return new Promise((resolve, reject) => {
      const path = `/pulumirpc.ResourceProvider/${method}`;
      onCall(
        this.client.makeUnaryRequest(path, raw, raw, request, new Metadata(), (error, response) => {
          if (error) void this.explained(error).then(reject);
          else resolve(response ?? Buffer.alloc(0));
        }),
      );
    });
  }

  /** The error, with the reason from the plugin's standard error if it crashed. */
  private async explained(error: ServiceError): Promise<Error> {
    const crash = error.code === status.UNAVAILABLE ? await this.crash() : undefined;
    return crash === undefined ? error : new Error(`the plugin crashed: ${crash}`);
  }

  async stop(): Promise<void> {
    this.client.close();
    if (this.process.pid !== undefined) await endTree(this.process.pid);
    this.folder.remove();
  }
}
