import type { Alertmanager } from "../cluster/alertmanager.ts";
import { silencesFor } from "./expected-alerts.ts";
import { Silence, type SilenceTimes } from "./silence.ts";
import { messageOf } from "../../toolchain/problem.ts";

export interface SilencesArgs {
  /** The Alertmanagers of the cluster, looked for when the first step begins. */
  alertmanagers: () => Promise<Alertmanager[]>;
  /** Machines that go out of service. */
  machines: readonly string[];
  /** The command that takes them out. */
  command: string;
  /** Called with the reason when alerts are not silenced. */
  warn: (problem: string) => void;
  /** @default usual */
  times?: SilenceTimes;
}

/** Five minutes without a renewal: a machine that Alertmanager is drained from, or an API server that restarts, takes less. */
const usual: SilenceTimes = { lapse: 300_000, renew: 60_000 };

/** The silences of a rollout, in every Alertmanager of the cluster. Without them a rollout goes on. */
export class Silences {
  private begun: Silence[] | undefined;

  constructor(private readonly args: SilencesArgs) {}

  /** Silences what is expected, from the first call on. */
  async begin(): Promise<void> {
    if (this.begun) return;
    const { alertmanagers, machines, command, times = usual } = this.args;
    const warn = this.warnOnce();
    this.begun = [];
    const found = await alertmanagers().catch((error: unknown) => {
      warn(messageOf(error));
      return [];
    });
    const comment = `${command} takes machines out of service, one at a time. Lapses by itself`;
    this.begun = found.flatMap((alertmanager) =>
      silencesFor(machines).map((matchers) => new Silence({ alertmanager, matchers, comment, times, warn })),
    );
    await Promise.all(this.begun.map((silence) => silence.begin()));
  }

  /** Its silences fail together, for one reason. */
  private warnOnce(): (problem: string) => void {
    const said = new Set<string>();
    return (problem) => {
      if (!said.has(problem)) this.args.warn(problem);
      said.add(problem);
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all((this.begun ?? []).map((silence) => silence[Symbol.asyncDispose]()));
  }
}
