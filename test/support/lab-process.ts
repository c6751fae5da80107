import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { labBinary } from "./lab-binary.ts";

/** The lab's configuration file. Omitted settings are empty, and a part with an empty address is not started. */
export interface LabSettings {
  stack?: string;
  repository?: string;
  supervisor?: { address: string };
  internet?: { proxy?: string; registry?: string; registries?: string[] };
  git?: { address: string; branch?: string };
  [part: string]: unknown;
}

/** A lab's folder and configuration file. */
export interface LabFolder {
  dir: string;
  config: string;
  /** Deletes the folder. Stop its processes first. */
  remove: () => Promise<void>;
}

/** Creates a temporary lab folder. */
export const labFolder = async (settings: LabSettings): Promise<LabFolder> => {
  const dir = await mkdtemp(join(tmpdir(), "hearth-lab-"));
  const config = join(dir, "lab.json");
  await writeFile(config, JSON.stringify({ stack: "test", dir, repository: dir, ...settings }));
  return { dir, config, remove: () => rm(dir, { recursive: true, force: true, maxRetries: 5 }) };
};

/** A running `hearth-lab` subcommand. */
export interface LabProcess {
  process: ChildProcess;
  pid: number;
  /** stdout and stderr so far. */
  output: () => string;
  /** Resolves with the exit code, or with the name of the signal that ended the process. */
  ended: Promise<number | string>;
  /** Sends SIGTERM and waits for the end. */
  stop: () => Promise<number | string>;
}

/** Starts a subcommand of `hearth-lab`. */
export const startLab = async (
  subcommand: string,
  config: string,
  args: readonly string[] = [],
): Promise<LabProcess> => {
  const binary = await labBinary();
  const process = spawn(binary, [subcommand, "--config", config, ...args], { stdio: ["ignore", "pipe", "pipe"] });
  let output = "";
  process.stdout.on("data", (chunk: Buffer) => (output += chunk.toString()));
  process.stderr.on("data", (chunk: Buffer) => (output += chunk.toString()));
  const ended = once(process, "close").then(([code, signal]) => (code ?? signal) as number | string);
  const { pid } = process;
  if (pid === undefined) throw new Error(`${binary} did not start`);
  return {
    process,
    pid,
    output: () => output,
    ended,
    stop: () => {
      process.kill("SIGTERM");
      return ended;
    },
  };
};

/** Whether something accepts connections at host:port. */
export const accepts = (address: string): Promise<boolean> =>
  new Promise((resolve) => {
    const [host = "", port = ""] = address.split(":");
    const socket = connect(Number(port), host);
    const end = (result: boolean): void => {
      socket.destroy();
      resolve(result);
    };
    socket.once("connect", () => {
      end(true);
    });
    socket.once("error", () => {
      end(false);
    });
  });

/**
 * Repeats a question until the answer is neither undefined nor false. On timeout, throws with the last error as cause.
 */
export const eventually = async <T>(
  what: string,
  ask: () => Promise<T | undefined | false>,
  seconds = 15,
): Promise<T> => {
  const deadline = Date.now() + seconds * 1000;
  let problem: unknown;
  for (;;) {
    try {
      const answer = await ask();
      if (answer !== undefined && answer !== false) return answer;
    } catch (error) {
      problem = error;
    }
    if (Date.now() > deadline)
      throw new Error(`timed out after ${seconds} s waiting until ${what}`, { cause: problem });
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
};
