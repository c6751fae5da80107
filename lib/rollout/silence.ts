import { setTimeout as sleep } from "node:timers/promises";

import type { Alertmanager } from "../cluster/alertmanager.ts";
import { messageOf } from "../../toolchain/problem.ts";

/** Alerts that Alertmanager keeps to itself: those that satisfy all matchers. */
export interface Matcher {
  name: string;
  value: string;
  isRegex: boolean;
}

/** In milliseconds. */
export interface SilenceTimes {
  /** For how long it lasts once nobody renews it. */
  lapse: number;
  renew: number;
}

/** What a silence is made of. */
export interface SilenceArgs {
  alertmanager: Alertmanager;
  matchers: Matcher[];
  /** What people read beside it. */
  comment: string;
  times: SilenceTimes;
  /** Called when alerts are not silenced, or no longer, with the reason. */
  warn: (problem: string) => void;
}

/**
 * A silence that is renewed while work goes on.
 *
 * Each renewal moves its end only a little further, so it ends by itself after the process has, however that ended.
 *
 * Source: Alertmanager v0.34.0, api/v2/api.go and silence/silence.go: a silence is renewed in place if its matchers and the second in
 * which it began are the same, and it has not ended; otherwise another one takes its place.
 */
export class Silence {
  private readonly ended = new AbortController();
  private id: string | undefined;
  /** When it began, by Alertmanager's clock. One that would begin in the past begins at once. */
  private startsAt = new Date(0).toISOString();
  private lastsUntil = 0;
  private isWarned = false;
  private renewing: Promise<void> | undefined;

  constructor(private readonly args: SilenceArgs) {}

  /** Silences the alerts from now on. Called again, it has no effect. */
  async begin(): Promise<void> {
    if (this.renewing) return;
    this.renewing = this.keepRenewing();
    await this.renew();
  }

  /** Stops renewing. It lasts for a moment longer, in which alerts of the last machine can resolve. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.ended.abort();
    await this.renewing;
  }

  private async keepRenewing(): Promise<void> {
    const { signal } = this.ended;
    for (;;) {
      await sleep(this.args.times.renew, undefined, { signal, ref: false }).catch(() => undefined);
      if (signal.aborted) return;
      await this.renew();
    }
  }

  /** Alertmanager may be away while its machine is: what fails is tried again, and said once when nothing is silenced any more. */
  private async renew(): Promise<void> {
    try {
      await this.post();
      this.isWarned = false;
    } catch (error) {
      if (this.isWarned || Date.now() < this.lastsUntil) return;
      this.isWarned = true;
      this.args.warn(messageOf(error));
    }
  }

  private async post(): Promise<void> {
    const { alertmanager, matchers, comment, times } = this.args;
    const endsAt = Date.now() + times.lapse;
    const silence = {
      ...{ matchers: matchers.map((each) => ({ ...each, isEqual: true })), comment, createdBy: "hearth" },
      ...{ startsAt: this.startsAt, endsAt: new Date(endsAt).toISOString() },
    };
    const posted = await alertmanager("POST", "/api/v2/silences", { ...(this.id && { id: this.id }), ...silence });
    // Its pod may have moved, and lost what it had.
    const isLost = posted.status === 404 && this.id !== undefined;
    const answer = isLost ? await alertmanager("POST", "/api/v2/silences", silence) : posted;
    if (answer.status !== 200) throw new Error(`Alertmanager answers ${answer.status}: ${answer.body.slice(0, 200)}`);
    this.lastsUntil = endsAt;
    const { silenceID } = JSON.parse(answer.body) as { silenceID: string };
    if (silenceID === this.id) return;
    this.id = silenceID;
    const { status, body } = await alertmanager("GET", `/api/v2/silence/${silenceID}`);
    if (status === 200) this.startsAt = (JSON.parse(body) as { startsAt: string }).startsAt;
  }
}
