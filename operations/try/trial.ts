import { setTimeout as sleep } from "node:timers/promises";

import type { HearthConfig } from "../../infra/config/index.ts";
import { Lab } from "../../lab/lab.ts";
import { visit } from "../../lab/visit.ts";
import { kubernetesOf } from "../../lib/cluster/access.ts";
import { waitForFlux } from "../../lib/cluster/flux.ts";
import { labFolder, type LabFolder } from "../../lib/engine/lab-folder.ts";
import { kubeconfigOf } from "../../lib/engine/state.ts";
import { Target } from "../../lib/engine/target.ts";
import { personAwaitedIn } from "../../lib/rollout/first-boot.ts";
import { authorityOf } from "../../lib/recovery/examine.ts";
import type { Display } from "../../lib/terminal/display.ts";
import { explain, Problem } from "../../toolchain/problem.ts";
import { firstBoots } from "../boot/images.ts";
import { asksOf } from "./asks.ts";
import type { Clone } from "./clone.ts";
import { doneIn, killedAt, resumed, stepsSaid, type Kill } from "./deployment.ts";
import { judgedOutages, verdictsOf, type Measured, type TimedStep } from "./judge.ts";
import { Prober } from "./prober.ts";
import type { Part } from "./report.ts";
import { lastWords, runIn, type Ran } from "./run.ts";
import type { Drawn } from "./timeline.ts";

/** How long the lab may take until everything in it answers, in milliseconds. */
const settleTimeout = 180_000;

/** How long everything is looked at before a change and after it, in milliseconds. */
const calm = 3000;

/** What a trial works with. */
export interface Stage {
  stack: string;
  clone: Clone;
  display: Display;
  signal: AbortSignal;
  /** File that gets all that commands say. */
  log: string;
}

/** One deployment of a trial, for the report and for the picture. */
export interface Measurement {
  part: Part;
  drawn: Drawn;
}

type Nodes = HearthConfig["nodes"];

/** A lab in which changes are deployed one after the other, and measured. */
export class Trial {
  private readonly folder: LabFolder;
  private prober: Prober | undefined;
  private nodes: Nodes = {};

  constructor(private readonly stage: Stage) {
    this.folder = labFolder(stage.clone.root, stage.stack);
  }

  /** Brings the lab up at a commit, by that commit's code. @throws Problem with what it says if it does not come up */
  async bringUp(commit: string): Promise<void> {
    const { clone, stack, display, log } = this.stage;
    await clone.take(commit);
    const ran = await this.run("The lab at the base", ["lab/main.ts", "up", stack]);
    if (!ran.isDone) {
      throw new Problem(
        `The lab does not come up at ${commit.slice(0, 10)}, so that no change of it can be tried. It said (all of it is in ${log}):\n${lastWords(ran)}`,
      );
    }
    display.line(`The lab of ${stack} is up at ${commit.slice(0, 10)}`);
    this.nodes = (await this.target()).nodes;
  }

  /**
   * Deploys a commit, and measures what is out of service meanwhile.
   *
   * @param kills when the deployment is killed, and then run again, in their order, until it is done. @default never
   */
  async deploy(title: string, commit: string, kills: Iterable<Kill> = []): Promise<Measurement> {
    const { clone, display } = this.stage;
    const before = this.nodes;
    await clone.take(commit);
    const wrong = await this.connect().then(
      () => undefined,
      (error: unknown) => explain(error),
    );
    const after = wrong === undefined ? (await this.target()).nodes : before;
    const prober = await this.probe(before, after);
    const { ran, steps, killed } =
      wrong === undefined
        ? await this.carryOut(title, prober, kills)
        : {
            killed: 0,
            ran: { isDone: false, isKilled: false, lines: wrong.split("\n").map((text) => ({ at: 0, text })) },
            steps: [],
          };
    const ended = prober.elapsed;
    const flux = ran.isDone ? await this.applied(prober) : { text: "", isApplied: false };
    await sleep(calm);
    const found = prober.found();
    if (ran.isDone) this.nodes = after;
    const measured: Measured = {
      ...{ tracks: found.tracks, spread: found.spread, end: found.end, isDone: ran.isDone, steps },
      machines: { ...after, ...before },
      removed: Object.keys(before).filter((name) => !(name in after)),
      planes: Object.keys(before).filter((name) => isPlane(before[name]) && isPlane(after[name])).length,
    };
    const outages = judgedOutages(measured);
    display.line(ran.isDone ? `${title}: deployed` : `${title}: not carried out`);
    return {
      part: {
        title: killed === 0 ? title : `${title}, killed ${killed} times`,
        refusal: ran.isDone ? undefined : lastWords(ran),
        seconds: ended / 1000,
        ...{ steps, outages, verdicts: verdictsOf(measured) },
        flux: [flux.text, found.delay > 500 ? `This computer was up to ${Math.round(found.delay)} ms late to ask` : ""]
          .filter((text) => text !== "")
          .join(". "),
        isApplied: flux.isApplied,
      },
      drawn: { title, tracks: found.tracks, steps, outages, end: found.end },
    };
  }

  /** Ends the asking. */
  end(): void {
    this.prober?.stop();
  }

  /** Gives the lab the hardware, charts and names that the checked-out commit needs, and the engine its configuration. */
  private async connect(): Promise<void> {
    const { display, stack } = this.stage;
    const lab = await Lab.open(this.folder);
    const { lab: config, programs, isChanged } = await lab.setUp();
    if (isChanged) {
      display.line(`Restarting the lab of ${stack}: the change needs other hardware or services`);
      await lab.supervisor.stop();
    }
    await lab.supervisor.start(programs["hearth-lab"] ?? "");
    await lab.engine(config, programs.pulumi ?? "");
  }

  /** Begins to measure, as soon as everything is well. */
  private async probe(before: Nodes, after: Nodes): Promise<Prober> {
    const { display, signal } = this.stage;
    this.end();
    const lab = await Lab.open(this.folder);
    const config = await lab.written();
    const state = await (await this.open()).engine.state();
    const known = new Set<string | undefined>(Object.values(before).map(({ address }) => address));
    // A machine that gets another name is asked once.
    const added = Object.keys(after).filter((name) => !(name in before) && !known.has(after[name]?.address));
    const machines = Object.fromEntries(
      [...Object.keys(before), ...added].map((name) => {
        const both = [before[name], after[name]].flatMap((node) => node ?? []);
        return [name, { role: both[0]?.role ?? "worker", addresses: [...new Set(both.map(({ address }) => address))] }];
      }),
    );
    this.prober = new Prober(
      asksOf({
        kubeconfig: kubeconfigOf(state) ?? "",
        authority: authorityOf(state),
        machines,
        cloudflare: () => (config ? lab.simulators(config).cloudflare() : Promise.resolve(undefined)),
      }),
    );
    const { prober } = this;
    const deadline = Date.now() + settleTimeout;
    // A route may lead to what does not run in a lab.
    const missing = () => prober.missing().filter(({ kind }) => kind !== "route" && kind !== "flux");
    while (!prober.hasAsked(["api", "machine", "node", "etcd"]) || missing().length > 0) {
      const names = missing().map(({ kind, name }) => `${kind} ${name}`.trim());
      if (Date.now() > deadline) throw new Problem(`The lab is not well before the change: ${names.join(", ")}`);
      display.live(`Waiting for ${names.join(", ") || "first answers"}`);
      await sleep(250, undefined, { signal }).catch(() => undefined);
      signal.throwIfAborted();
    }
    await sleep(calm);
    prober.begin();
    return prober;
  }

  /** Waits until Flux has applied the checked-out commit. */
  private async applied(prober: Prober): Promise<{ text: string; isApplied: boolean }> {
    const { display, signal } = this.stage;
    const lab = await Lab.open(this.folder);
    const config = await lab.written();
    const target = await this.open();
    const { gitops } = await target.config();
    if (config === undefined || gitops.engine !== "flux") return { text: "Flux is not installed", isApplied: true };
    const revision = await lab.revision(config);
    try {
      await waitForFlux(await kubernetesOf(target.engine), {
        ...{ revision, signal, timeout: 300_000 },
        onProgress: (_, waiting) => {
          display.live(`Flux: ${waiting.map(({ kind, name }) => `${kind} ${name}`).join(", ")}`);
        },
      });
      const seconds = (prober.elapsed / 1000).toFixed(1);
      return { text: `Flux had applied \`${revision}\` after ${seconds} s at the latest`, isApplied: true };
    } catch (error) {
      signal.throwIfAborted();
      return { text: explain(error), isApplied: false };
    }
  }

  /** Runs the deployment, and again after each time that it was killed, then from another clone. */
  private async carryOut(
    title: string,
    prober: Prober,
    kills: Iterable<Kill>,
  ): Promise<{ ran: Ran; steps: TimedStep[]; killed: number }> {
    const command = ["operations/main.ts", "deploy", this.stage.stack, "--lab", "--now"];
    const runs: TimedStep[][] = [];
    const run = async (kill?: Kill): Promise<Ran> => {
      const killed = kill && killedAt({ ...kill, done: kill.done - doneIn(runs) });
      const root = runs.length === 0 ? undefined : await this.stage.clone.again();
      const ran = await this.run(title, command, { now: () => prober.elapsed, killedBy: killed, root });
      runs.push(stepsSaid(ran.lines, prober.elapsed));
      return ran;
    };
    for (const kill of kills) {
      const ran = await run(kill);
      if (!ran.isKilled) return { ran, steps: resumed(runs), killed: runs.length - 1 };
      this.stage.display.line(`  Killed ${kill.after} ms after ${kill.done} steps were done`);
    }
    return { ran: await run(), steps: resumed(runs), killed: runs.length - 1 };
  }

  private async run(
    title: string,
    args: string[],
    {
      now = () => performance.now(),
      root = this.stage.clone.root,
      killedBy,
    }: { now?: () => number; root?: string | undefined; killedBy?: ReturnType<typeof killedAt> | undefined } = {},
  ): Promise<Ran> {
    const { display, signal, log } = this.stage;
    const say = (text: string): void => {
      if (/^Step \d+ of \d+: /.test(text)) display.line(`  ${text}`);
      else if (text.trim() !== "") display.live(`${title}: ${text.trim()}`);
      this.attend(text).catch((error: unknown) => {
        display.line(`  Nobody boots the machine: ${explain(error)}`);
      });
    };
    display.live(title);
    const ran = await runIn(root, args, { signal, log, now, say, killedBy });
    display.clear();
    return ran;
  }

  /** Goes to a machine of the lab that a deployment waits for, as a person does. */
  private async attend(text: string): Promise<void> {
    const awaited = personAwaitedIn(text);
    if (awaited === undefined) return;
    const { machine, isSecureBoot } = awaited;
    const [boot] = firstBoots(await this.target(), this.stage.stack, machine);
    if (boot === undefined) return;
    await visit(this.folder, machine, { secureBoot: isSecureBoot ? "setup" : "off", iso: boot.iso });
    this.stage.display.line(`  A person boots ${machine} from ${boot.iso}`);
  }

  private open(): Promise<Target> {
    return Target.open(this.stage.clone.root, this.stage.stack, { lab: true });
  }

  private async target(): Promise<HearthConfig> {
    return (await this.open()).config();
  }
}

const isPlane = (node: { role: string } | undefined): boolean => node?.role === "controlplane";
