import { setTimeout as sleep } from "node:timers/promises";

import type { HearthConfig } from "../infra/config/index.ts";
import type { LabFolder } from "../lib/engine/lab-folder.ts";
import type { PulumiStack } from "../lib/engine/pulumi-stack.ts";
import type { State } from "../lib/engine/state.ts";
import { Target } from "../lib/engine/target.ts";
import { unmadeOf } from "../lib/recovery/condition.ts";
import { authorityOf, lookAtMachines } from "../lib/recovery/examine.ts";
import { Journal } from "../lib/recovery/journal.ts";
import { interruptedPhases, type Phase, type Recovery } from "../lib/recovery/phases.ts";
import { describePlan, planFor, unmadeBy, type Situation } from "../lib/recovery/plan.ts";
import { Problem } from "../toolchain/problem.ts";
import { Toolchain } from "../toolchain/toolchain.ts";
import { keptState } from "./checkpoint.ts";
import { openLog } from "./engine-log.ts";
import type { Lab } from "./lab.ts";
import type { Context } from "./context.ts";

/** How long machines may take to start after the lab has started, in milliseconds. */
const startTimeout = 120_000;

/** Whether an update of a lab, or the recovery from one, was interrupted. */
export const isInterrupted = async ({ folder }: Lab): Promise<boolean> =>
  (await Journal.open(folder.recovery)).current !== undefined || (await pendingIn(folder)).length > 0;

/** Whether an update was interrupted while it created something, which may exist although no state has it. */
export const hasUnreported = async ({ folder }: Lab): Promise<boolean> =>
  (await Journal.open(folder.recovery)).current !== undefined ||
  (await pendingIn(folder)).some(({ type }) => type === "creating");

const pendingIn = async (folder: LabFolder) => (await keptState(folder))?.pending_operations ?? [];

/**
 * Finishes an interrupted update, with the plan that a rebuild would make.
 *
 * @param onBuilt called once the stack has its outputs, before Flux is waited for
 */
export const finishInterrupted = async (
  lab: Lab,
  stack: PulumiStack,
  context: Context,
  onBuilt: () => Promise<unknown>,
): Promise<void> => {
  const { folder } = lab;
  const { display, signal, hurry } = context;
  const config = await (await Target.open(folder.root, folder.stack, { lab: true })).config();
  const journal = await Journal.open(folder.recovery);
  await journal.endProcesses();
  if (journal.current === undefined) {
    const plan = await planned(lab, context, config, await stack.state());
    await journal.begin({ version: 1, stack: stack.name, begun: new Date().toISOString(), plan, done: {} });
  }
  const plan = journal.current?.plan;
  if (plan === undefined) return;
  const { talosctl = "talosctl" } = await new Toolchain({ root: folder.root }).ensure(["talosctl"]);
  const log = await openLog(folder, "recover");
  const engine = { hurry, onLine: log.line };
  const recovery = { stack, config, plan, journal, roots: undefined, snapshot: undefined, talosctl, signal, engine };
  try {
    for (const phase of interruptedPhases) {
      if (phase.name === "reconcile") await onBuilt();
      if (journal.current?.done[phase.name] === undefined) await carryOut(phase, recovery, context);
    }
  } finally {
    log.end();
    await journal.endProcesses();
  }
  display.clear();
  await journal.close();
};

const carryOut = async (phase: Phase, recovery: Recovery, { display }: Context): Promise<void> => {
  const started = Date.now();
  display.line(`Recovering: ${phase.title}`);
  await phase.run(recovery, (text) => {
    display.live(text);
  });
  display.clear();
  await recovery.journal.finish(phase.name, (Date.now() - started) / 1000);
};

/** Makes the plan, after the machines have had time to start: the lab may just have been started too. */
const planned = async (
  lab: Lab,
  { display, signal }: Context,
  config: HearthConfig,
  state: State,
): Promise<Recovery["plan"]> => {
  const deadline = Date.now() + startTimeout;
  for (;;) {
    signal.throwIfAborted();
    const machines = await lookAtMachines(config, authorityOf(state));
    const unmade = unmadeBy(unmadeOf(state, Object.keys(config.nodes)), machines);
    const waiting = awaited(machines, unmade);
    const isLate = Date.now() > deadline;
    // A cluster that was never begun is begun by machines that are there, whatever became of the others.
    if (waiting.length === 0 || (isLate && unmade?.cluster)) {
      const situation: Situation = { state: "interrupted", machines, unmade, hasEscrow: false, hasSnapshot: false };
      const plan = planFor(situation);
      display.clear();
      for (const line of describePlan(plan, situation)) display.line(`Recovering: ${line}`);
      return plan;
    }
    if (isLate) {
      throw new Problem(
        `An update was interrupted, and ${waiting.join(", ")} did not come back: ` +
          `run \`npx hearth rebuild ${lab.folder.stack} --lab\``,
      );
    }
    display.live(`Waiting for ${waiting.join(", ")}`);
    await sleep(1000);
  }
};

/** What has to be there before a plan is made: machines that were members, and a majority of etcd. */
const awaited = (machines: Situation["machines"], unmade: Situation["unmade"]): string[] => {
  const waiting = Object.keys(machines).filter(
    (name) => machines[name]?.state !== "member" && !unmade?.machines.includes(name),
  );
  const planes = Object.values(machines).filter(({ role }) => role === "controlplane");
  const hasQuorum = planes.filter(({ state, hasEtcd }) => state === "member" && hasEtcd).length > planes.length / 2;
  return hasQuorum || unmade?.cluster ? waiting : [...waiting, "etcd"];
};
