import { execa } from "execa";
import { join } from "node:path";
import { createInterface } from "node:readline";

import { RunReport, type EngineEvent } from "./events.ts";
import { codeOf, Problem } from "../../toolchain/problem.ts";

const root = join(import.meta.dirname, "../..");

/** The policy pack, which previews and updates run as if the flag --policy-pack named it. */
const policyPack = join(root, "policy", "pack");

/** What the engine is asked to do with a stack, as its command and flags. */
export type Operation = readonly ["preview" | "up" | "refresh", ...string[]];

export interface RunOptions {
  stack: string;
  /** Called after each event. */
  onProgress?: (report: RunReport) => void;
  /** Called with each event. */
  onEvent?: (event: EngineEvent) => void;
  /** Whether policies have to hold. @default true */
  policies?: boolean;
}

/** How a run of the engine ended. */
export interface Ended {
  report: RunReport;
  exitCode: number;
  /** What the engine complained of beside its events. */
  stderr: string;
}

/**
 * Runs the `pulumi` of PATH on a stack of this checkout, and follows its events.
 *
 * It is interrupted as a person would interrupt it: it ends what it has begun, and leaves no lock.
 */
export const runEngine = async (
  operation: Operation,
  { stack, onProgress, onEvent, policies = true }: RunOptions,
): Promise<Ended> => {
  const report = new RunReport();
  const child = execa("pulumi", [...operation, "--stack", stack, "--json", "--non-interactive"], {
    cwd: root,
    env: {
      PULUMI_OPTION_POLICY_PACK: policies ? policyPack : undefined,
      PULUMI_ENABLE_STREAMING_JSON_PREVIEW: "true",
      PULUMI_SKIP_UPDATE_CHECK: "true",
    },
    reject: false,
    buffer: { stdout: false },
    stdin: "ignore",
    // In a process group of its own, so that it is interrupted once, from here.
    detached: true,
    cleanup: false,
  });
  const interrupt = (): void => void child.kill("SIGINT");
  process.on("SIGINT", interrupt).on("SIGTERM", interrupt);
  try {
    for await (const line of createInterface({ input: child.stdout })) {
      const event = parse(line);
      if (event === undefined) continue;
      report.add(event);
      onEvent?.(event);
      onProgress?.(report);
    }
    const { exitCode = 1, stderr, failed, cause } = await child;
    if (failed && codeOf(cause) === "ENOENT") {
      throw new Problem("There is no pulumi on PATH: install it, or use the lab's: npm run lab -- env");
    }
    return { report, exitCode, stderr };
  } finally {
    process.off("SIGINT", interrupt).off("SIGTERM", interrupt);
  }
};

const parse = (line: string): EngineEvent | undefined => {
  try {
    return JSON.parse(line) as EngineEvent;
  } catch {
    return undefined;
  }
};

/** What went wrong in a run, a line each, as far as anybody said. */
export const complaints = ({ report, stderr }: Pick<Ended, "report" | "stderr">): string[] =>
  report.errors.length > 0 ? report.errors : stderr.trim().split("\n").slice(-3);
