import { join } from "node:path";

import { Listr, PRESET_TIMER } from "listr2";

import type { HearthConfig } from "../../infra/config/index.ts";
import type { Target } from "../../lib/engine/target.ts";
import { requireFinished } from "../../lib/engine/unfinished.ts";
import { machinesOfNodes, machinesOfState, requireSameMachines } from "../../lib/recovery/checkout.ts";
import { readState } from "../../lib/recovery/examine.ts";
import { Journal, type Entry } from "../../lib/recovery/journal.ts";
import type { Recovery } from "../../lib/recovery/phases.ts";
import { describePlan, planFor, type Case, type Situation } from "../../lib/recovery/plan.ts";
import type { Escrow } from "../../lib/secrets/escrow.ts";
import { Display } from "../../lib/terminal/display.ts";
import { Problem } from "../../toolchain/problem.ts";
import { Toolchain } from "../../toolchain/toolchain.ts";
import { destinationsOf } from "../destinations/index.ts";
import { credentialsFor } from "../escrow/credentials.ts";
import { describeLosses, describePending } from "./describe.ts";
import { exclusively } from "./exclusive.ts";
import { mendConfiguration, openEscrow, withGivenSnapshot } from "./given.ts";
import { judgeBy, requireKept } from "./kept.ts";
import { requireEscrowOfNow, requireSigningKey } from "./older-escrow.ts";
import { phasesOf } from "./rebuild.ts";
import { requireNoRotation } from "./rotation.ts";
import { examine } from "./situation.ts";

export interface RebuildOptions {
  /** Path of the escrow file. @default the configuration's, if the state is lost */
  escrow: string | undefined;
  /** Files with age identities that may open what is encrypted. */
  identities: string[];
  /** A snapshot of etcd: its path, the name of a stored one, or `latest`. */
  snapshot: string | undefined;
  /** Case to use instead of the one found. */
  desiredCase: string | undefined;
  isPlanOnly: boolean;
  isRestart: boolean;
  /** Names of escrows and snapshots that the user takes although they are unsigned. @default none */
  unsigned?: string[];
  /** Machines that the user declares lost. */
  lost: string[];
  /** Control planes whose data of Ceph may be wiped with etcd. @default none */
  lostData?: string[];
  /** How long to keep asking machines that do not answer, in milliseconds. */
  timeout: number;
  signal: AbortSignal;
  confirm: (question: string) => Promise<boolean>;
  /** Asks the user to type the stack's name, if a plan destroys what remains. */
  confirmLoss: (what: string) => Promise<boolean>;
}

/**
 * Rebuilds a stack: finds out what is lost, shows the plan, asks, and carries it out; or continues an interrupted rebuild.
 *
 * @returns seconds that each phase took; empty if nothing was done
 */
export const rebuild = async (target: Target, options: RebuildOptions): Promise<Record<string, number>> => {
  const path = join(target.root, ".hearth", `rebuild-${target.stack}.json`);
  if (options.isPlanOnly) return attempt(target, await Journal.open(path), options);
  const leases = async () =>
    destinationsOf(await target.config(), target.root).map(({ lease }) => lease(`${target.stack}/rebuild-lease`));
  const { signal } = options;
  const { stack } = target;
  return exclusively({ lock: `${path}.lock`, stack, leases, signal, print: console.log }, async (lost) =>
    attempt(target, await Journal.open(path), { ...options, signal: AbortSignal.any([signal, lost]) }),
  );
};

/** Begins or continues a rebuild. With `isPlanOnly` it changes nothing, not even the journal. */
const attempt = async (target: Target, journal: Journal, options: RebuildOptions): Promise<Record<string, number>> => {
  const entry = options.isRestart ? undefined : journal.current;
  // A rebuild that began a state needs the escrow until it ends: its state has only a part of what the escrow holds.
  const isTakingOver = journal.current !== undefined && ["all", "state"].includes(journal.current.plan.case);
  // What a rebuild forgot is in no state any more, but the journal knows it.
  const planned = journal.current?.machines;
  if (planned) requireSameMachines(planned, (await target.config()).nodes);
  if (entry !== undefined) {
    if (options.desiredCase !== undefined) {
      throw new Problem(`--case ${options.desiredCase} is of no use to a rebuild that goes on: give --restart with it`);
    }
    console.log(describePending(entry));
    if (options.isPlanOnly || !(await isAgreed(entry, "Go on with it?", options))) return {};
  }
  if (!options.isPlanOnly) {
    await journal.endProcesses();
    // The plan that takes its place is written over it.
    if (options.isRestart && !isTakingOver) await journal.close();
  }
  const credentials = await credentialsFor(target, options.identities, true, new Display());
  await requireNoRotation(target);
  const stack = target.engine;
  const unsigned = [...(options.unsigned ?? []), ...(entry?.unsigned ?? [])];
  // Its secrets may be encrypted by a passphrase that only the escrow has.
  const state = isTakingOver ? undefined : await readState(stack);
  if (state) {
    requireFinished(state, target.stack);
    requireSameMachines(machinesOfState(state), (await target.config()).nodes);
  }
  const isLost = isTakingOver || (entry === undefined && state === undefined);
  const roots = isLost ? await openEscrow(target, entry?.escrow ?? options.escrow, credentials, unsigned) : undefined;
  if (roots && !options.isPlanOnly) await mendConfiguration(target, roots);
  const { talosctl = "talosctl" } = await new Toolchain({ root: target.root }).ensure(["talosctl"]);
  const identities = [...credentials.keys.identities, ...(roots ? [roots.ageIdentity] : [])];
  const given = { snapshot: entry?.snapshot ?? options.snapshot, unsigned, identities };
  return withGivenSnapshot(target, given, async (snapshot) => {
    if (entry === undefined) {
      const decided = await decide(target, { ...options, snapshot }, { roots, talosctl });
      if (options.isPlanOnly) return {};
      if (!(await isAgreed(decided, "Do that?", options))) return {};
      await journal.begin({ ...decided, ...(options.snapshot !== undefined && { snapshot: options.snapshot }) });
    }
    const lostData = [...(journal.current?.lostData ?? []), ...(options.lostData ?? [])];
    await journal.update({ lostData: [...new Set(lostData)] });
    const plan = journal.current?.plan;
    if (plan === undefined) return {};
    const config = await target.config();
    // A stale escrow, say, must not stop a rescue half-way. What may not be lost is judged by its preview.
    const engine = { policyPacks: [] };
    const judge = judgeBy(target, plan.loss);
    const { signal } = options;
    await carryOut({ stack, config, plan, journal, roots, snapshot, talosctl, signal, engine, judge });
    const done = journal.current?.done ?? {};
    console.log(summary(done));
    await journal.close();
    return done;
  });
};

/** Asks for confirmation. Wiping or forgetting requires the stack's name, each time. */
const isAgreed = ({ plan, done }: Entry, question: string, options: RebuildOptions): Promise<boolean> => {
  const losses = describeLosses(plan, done);
  return losses === undefined ? options.confirm(question) : options.confirmLoss(losses);
};

/** Examines everything and shows the plan. */
const decide = async (
  target: Target,
  { escrow, snapshot, unsigned = [], desiredCase, lost, lostData = [], timeout, signal }: RebuildOptions,
  { roots, talosctl }: { roots: Escrow | undefined; talosctl: string },
): Promise<Entry> => {
  const config = await target.config();
  const situation = await examine(target, { config, roots, snapshot, talosctl, lost, timeout, signal });
  const plan = planFor(situation, { lostData, ...(desiredCase && { case: caseNamed(desiredCase) }) });
  if (roots) requireSigningKey(roots, plan, config);
  if (roots && !plan.loss.isClusterLost) await compareWithCluster(config, roots, { situation, talosctl });
  // A state that is lost has nothing to lose.
  if (!roots) await requireKept(target, plan.loss, signal);
  const state = `state           ${situation.state === "lost" ? "none" : "kept"} in ${(await target.backend()) ?? "the lab"}`;
  console.log([`Rebuilding ${target.stack}`, state, ...describePlan(plan, situation)].join("\n  "));
  return {
    version: 1,
    stack: target.stack,
    begun: new Date().toISOString(),
    plan,
    machines: machinesOfNodes(config.nodes),
    ...(escrow !== undefined && { escrow }),
    ...(unsigned.length > 0 && { unsigned }),
    ...(lost.length > 0 && { declared: lost }),
    ...(lostData.length > 0 && { lostData }),
    done: {},
  };
};

/** If the cluster runs, the escrow must match its present secrets. */
const compareWithCluster = async (
  config: HearthConfig,
  roots: Escrow,
  { situation: { machines }, talosctl }: { situation: Situation; talosctl: string },
): Promise<void> => {
  const running = Object.keys(machines).find((name) => machines[name]?.state === "member" && machines[name].hasEtcd);
  const address = running && config.nodes[running]?.address;
  if (address) await requireEscrowOfNow(config, roots, { address, talosctl });
};

const caseNamed = (name: string): Case => {
  const cases: Case[] = ["machines", "state", "all", "interrupted"];
  const found = cases.find((each) => each === name);
  if (found === undefined) throw new Problem(`There is no case ${name}: it is one of ${cases.join(", ")}`);
  return found;
};

/** Carries out the remaining phases and shows them. */
const carryOut = async (rebuild: Recovery): Promise<void> => {
  const { plan, journal } = rebuild;
  const list = new Listr(
    phasesOf(plan).map(({ name, title, run }) => ({
      title,
      skip: () => journal.current?.done[name] !== undefined,
      task: async (_: unknown, task: { output: string }) => {
        const started = Date.now();
        await run(rebuild, (text) => {
          // Without a terminal each output is a line.
          if (text !== task.output) task.output = text;
        });
        await journal.finish(name, (Date.now() - started) / 1000);
      },
    })),
    {
      fallbackRenderer: "simple",
      rendererOptions: { timer: PRESET_TIMER, collapseErrors: false, showErrorMessage: false },
      fallbackRendererOptions: { timer: PRESET_TIMER },
    },
  );
  await list.run();
};

const summary = (done: Record<string, number>): string => {
  const total = Object.values(done).reduce((sum, seconds) => sum + seconds, 0);
  const parts = Object.entries(done).map(([name, seconds]) => `${name} ${seconds.toFixed(0)} s`);
  return `Rebuilt in ${total.toFixed(0)} s: ${parts.join(", ")}. A preview says that nothing changes`;
};
