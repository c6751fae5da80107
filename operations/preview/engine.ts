import { access, constants } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";

import { execa } from "execa";

import { codeOf, Problem } from "../../toolchain/problem.ts";
import type { ResourceState } from "./changes.ts";
import { readEvent, type EngineEvent } from "./events.ts";
import { readValues } from "../../lib/engine/value.ts";

/** A stack's state. */
export interface State {
  /** When it was last changed; undefined where nothing was ever made. */
  time: string | undefined;
  /** By URN. */
  resources: Map<string, ResourceState>;
}

/** What a run of the engine said. */
export interface Run {
  events: EngineEvent[];
  /** Whether it ended well. */
  succeeded: boolean;
  /** What it said beside its events. */
  stderr: string;
}

interface Deployment {
  deployment?: {
    manifest?: { time?: string };
    resources?: { urn: string; delete?: boolean; inputs?: object; outputs?: object }[];
  } | null;
}

/** The engine that is on PATH, with a person's environment. */
export class Engine {
  constructor(
    /** Root of the checkout. */
    private readonly root: string,
    private readonly stack: string,
  ) {}

  /** The stack's state with its secrets, which stay in memory. */
  async state(): Promise<State> {
    const { exitCode, stdout, stderr } = await this.pulumi(["stack", "export", "--show-secrets"]);
    if (exitCode !== 0) throw new Problem(this.explainExport(stderr));
    const { deployment } = JSON.parse(stdout) as Deployment;
    const resources = (deployment?.resources ?? []).filter((resource) => resource.delete !== true);
    return {
      time: resources.length === 0 ? undefined : deployment?.manifest?.time,
      resources: new Map(
        resources.map(({ urn, inputs, outputs }) => [
          urn,
          { inputs: readValues(inputs), outputs: readValues(outputs) },
        ]),
      ),
    };
  }

  /**
   * Lets the engine say what it would do.
   *
   * @param packs policy packs that attend
   * @param onEvent called after each event
   */
  async preview(packs: readonly string[], onEvent: (events: readonly EngineEvent[]) => void): Promise<Run> {
    const events: EngineEvent[] = [];
    const child = execa(
      "pulumi",
      this.args(["preview", "--json", ...packs.flatMap((pack) => ["--policy-pack", pack])]),
      {
        cwd: this.root,
        env: { PULUMI_ENABLE_STREAMING_JSON_PREVIEW: "true", PULUMI_SKIP_UPDATE_CHECK: "true" },
        reject: false,
        buffer: { stdout: false },
        stdin: "ignore",
      },
    );
    for await (const line of createInterface({ input: child.stdout })) {
      const event = readEvent(line);
      if (event === undefined) continue;
      events.push(event);
      onEvent(events);
    }
    const result = await child;
    if (result.exitCode === undefined) throw this.missing(result);
    return { events, succeeded: result.exitCode === 0, stderr: result.stderr };
  }

  private async pulumi(args: string[]): Promise<{ exitCode: number; stdout: string; stderr: string }> {
    const result = await execa("pulumi", this.args(args), { cwd: this.root, reject: false, maxBuffer: 1 << 30 });
    const { exitCode, stdout, stderr } = result;
    if (exitCode === undefined) throw this.missing(result);
    return { exitCode, stdout, stderr };
  }

  private args(args: string[]): string[] {
    return [...args, "--stack", this.stack, "--non-interactive"];
  }

  private missing(error: unknown): Error {
    return codeOf(error) === "ENOENT"
      ? new Problem(
          `pulumi is not on PATH: install it, or for the lab run eval "$(npm run --silent lab -- env ${this.stack})"`,
        )
      : new Problem(`pulumi was ended: ${error instanceof Error ? error.message : String(error)}`);
  }

  private explainExport(stderr: string): string {
    const reason =
      stderr
        .trim()
        .split("\n")
        .at(-1)
        ?.replace(/^error: /, "") ?? "";
    return /no stack named|not found/.test(reason)
      ? `There is no stack ${this.stack} in this state backend: pulumi stack init ${this.stack} makes it, pulumi login chooses another backend`
      : `The state of ${this.stack} cannot be read: ${reason}`;
  }
}

/** The policy packs of a checkout: the program that the engine starts, or the folder. */
export const policyPacks = async (root: string): Promise<string[]> => {
  const pack = join(root, "policy", "pack");
  return (await access(pack, constants.X_OK).then(
    () => true,
    () => false,
  ))
    ? [pack]
    : [];
};
