import { stackFile } from "../../infra/config/error.ts";
import { today } from "../../infra/config/policy.ts";
import { examineStackFile, readStackFile } from "../../infra/config/stack-file.ts";
import { rolloutEnvironment } from "../../infra/rollout.ts";
import { removedText, taintText } from "../../components/talos/taints.ts";
import type { EngineEvent } from "../../lib/engine/events.ts";
import { Kubernetes } from "../../lib/cluster/kubernetes.ts";
import { usual } from "../../lib/rollout/surroundings.ts";
import { checksOf } from "../../lib/rollout/health.ts";
import type { RolloutPlan } from "../../lib/rollout/plan.ts";
import type { Step } from "../../lib/rollout/step.ts";
import type { Display } from "../../lib/terminal/display.ts";
import type { RunReport } from "../../lib/engine/report.ts";
import { describeChanges, describeProgress } from "../../lib/engine/describe.ts";
import { escrowProblem } from "../../policy/escrow.ts";
import { recordedIn } from "../../policy/recorded.ts";
import { Problem } from "../../toolchain/problem.ts";
import { requireSigningKeys } from "../backup/signing-key.ts";
import { keepEtcd } from "../etcd/keep.ts";
import type { Resources } from "../preview/changes.ts";
import { machinesToReplace, replacing } from "../preview/machines-to-replace.ts";
import { beforeOf } from "../preview/engine.ts";
import { Observer } from "../preview/observer.ts";
import { backUpState } from "../state/backup.ts";
import { detached } from "../../lib/engine/loss.ts";
import { requireFinished } from "../../lib/engine/unfinished.ts";
import { hearthCommand, policyPack, type Target } from "../../lib/engine/target.ts";
import { update as updateAll, type Operation, type RunOptions } from "../../lib/engine/pulumi-stack.ts";
import { unprotectExempted } from "../../policy/protection.ts";
import { changesOf, type MachineChanges } from "./changes.ts";
import { Losses, refusals } from "./plan.ts";
import {
  actionsOn,
  carryOutRollout,
  describePlan,
  forgetRemoved,
  planFor,
  requireLed,
  requireReachable,
  strangers,
  type KnownMachines,
  type RolloutEngine,
  type RolloutOptions,
} from "./rollout.ts";
import { setTaints } from "./taints.ts";
import { underLease, type Held } from "./under-lease.ts";
import { recordedMachines, requireNoFirmware, runningCluster, type RunningCluster } from "./running.ts";

/** How a deployment ended. */
export interface Deployed {
  /** Whether anything was changed. */
  isChanged: boolean;
  /** Steps that are left, where the person ended it before its end. */
  left: Step[];
}

/**
 * Deploys a stack: previews it, carries out the steps that take machines out of service, updates it if something changes, and then
 * checks that nothing would change any more.
 *
 * @throws Problem if the engine, a policy or the cluster refuses, or if the program keeps changing something
 */
export const deploy = async (
  target: Target,
  display: Display,
  signal: AbortSignal,
  options: RolloutOptions = {},
): Promise<Deployed> => {
  const { stack } = target;
  const run = runOn(target, display, signal);
  requireFinished(await target.engine.state(), stack);
  await unprotect(target, display);
  const cluster = await runningCluster(target, (text) => {
    display.live(text);
  });
  const { preview, changes, replaced } = await previewed(target, display, run, cluster);
  display.line(`Preview of ${stack}: ${describeChanges(preview)}`);
  for (const advice of preview.advice) display.line(`  ${advice}`);
  const plan = cluster && planFor(stack, changes, cluster);
  const known = { desired: Object.keys(changes.machines), recorded: Object.keys(cluster?.recorded ?? {}) };
  for (const line of cluster ? strangers(cluster.nodes, known) : []) display.line(`  ${line}`);
  for (const line of plan ? describePlan(plan) : []) display.line(`  ${line}`);
  if (cluster) await requireLed(changes.reach);
  if (cluster) await requireReachable(cluster.access.kubeconfig, changes.reach?.after.endpoint);
  // The engine records them when it gives the machine its configuration, so a run that is killed between finds the change again.
  if (cluster) await taint(cluster, display, changes);
  const isUnchanged = preview.isUnchanged && !plan?.steps.length;
  const update = async (kubernetes?: string): Promise<void> => {
    const report = await run(updateAll, { environment: rolloutEnvironment({ kubernetes, isPlanned: true }) });
    display.line(`Updated ${stack}: ${counted(report)}`);
  };
  const left =
    cluster && plan && plan.steps.length > 0
      ? await rollOut(target, display, { run, update, signal, cluster, changes, replaced, plan, options })
      : [];
  if (left.length > 0) {
    for (const { name, what } of left) display.line(`  left: ${name} ${what}`);
    return { isChanged: left.length < (plan?.steps.length ?? 0), left };
  }
  if (!plan?.steps.length && !preview.isUnchanged)
    await (answers(cluster) ? alone(target, display, { signal, cluster, machines: [] }, () => update()) : update());
  if (cluster) await forget(target, display, cluster, changes);
  if (isUnchanged) return { isChanged: false, left };
  // The required content of the escrow may just have changed. The policy checks it the next time.
  const after = await run(["preview", "--expect-no-changes"], { policyPacks: [] });
  if (!after.isUnchanged) {
    throw new Problem(`${stack} is updated, and would change again at once: ${describeChanges(after)}`);
  }
  display.line(`${stack} is as the program says`);
  // Lets the preview of exempted resources run to its end.
  await unprotect(target, display);
  await remindOfEscrow(target, display);
  await keepState(target, display);
  return { isChanged: true, left };
};

/** Does work while no other rollout goes on, and no update of firmware. */
const alone = <T>(
  target: Target,
  display: Display,
  { signal, cluster, machines }: { signal: AbortSignal; cluster: RunningCluster; machines: string[] },
  work: (held: Held) => Promise<T>,
): Promise<T> =>
  underLease(cluster.access, { display, signal, command: deployCommand(target), machines }, async (held) => {
    // A rotation says in the state that it began, while it has the lease.
    requireFinished(await target.engine.state(), target.stack);
    await requireNoFirmware(cluster);
    return work(held);
  });

/** Whether a cluster's API answers. Where it does not, no rollout goes on, and there is nothing to hold. */
const answers = (cluster: RunningCluster | undefined): cluster is RunningCluster =>
  cluster?.problems.every(({ machine }) => machine !== undefined) ?? false;

const deployCommand = (target: Target): string => hearthCommand(target, "deploy", target.stack);

/** Previews the update, with what it means for machines. The program renders the release of Kubernetes that runs. */
const previewed = async (
  target: Target,
  display: Display,
  run: ReturnType<typeof runOn>,
  cluster: RunningCluster | undefined,
): Promise<{ preview: RunReport; changes: MachineChanges; replaced: string[] }> => {
  const { engine, root } = target;
  const events: EngineEvent[] = [];
  const losses = new Losses();
  await using observer = await Observer.start();
  const running = cluster?.running.kubernetes.lowest;
  const isPlanned = cluster !== undefined;
  const state = await engine.state();
  const replaced = cluster ? machinesToReplace(state, await target.config(), cluster.recorded) : [];
  const preview = await run(["preview", ...replacing(replaced)], {
    policyPacks: [policyPack(root), observer.pack],
    environment: rolloutEnvironment({
      kubernetes: running === "" ? undefined : running,
      isPlanned,
    }),
    onEvent: (event) => {
      events.push(event);
      losses.add(event);
    },
  }).catch(async (error: unknown) => {
    // The engine refuses to delete protected resources and suggests removing the protection. Hearth's own advice comes first.
    await requireKept(target, losses, isPlanned);
    throw error;
  });
  display.clear();
  if (!preview.isUnchanged) await requireKept(target, losses, isPlanned);
  const before: Resources = cluster ? beforeOf(state).resources : new Map();
  const { kubernetes } = (await target.config()).cluster;
  return { preview, replaced, changes: changesOf(events, { before, after: observer.observed.resources, kubernetes }) };
};

interface RollingOut {
  run: ReturnType<typeof runOn>;
  update: (kubernetes: string) => Promise<void>;
  signal: AbortSignal;
  cluster: RunningCluster;
  changes: MachineChanges;
  /** Resources that the engine replaces only if it is told to. */
  replaced: readonly string[];
  plan: RolloutPlan;
  options: RolloutOptions;
}

const rollOut = async (
  target: Target,
  display: Display,
  { run, update, signal, cluster, changes, replaced, plan, options }: RollingOut,
): Promise<Step[]> => {
  const gone = new Set<string>();
  const targeted = async (urns: readonly string[], kubernetes: string): Promise<void> => {
    if (urns.length === 0) return;
    const named = [
      ...[...new Set(urns)].flatMap((urn) => ["--target", urn]),
      ...replacing(replaced.filter((urn) => urns.includes(urn) && !gone.has(urn))),
    ];
    const environment = rolloutEnvironment({ kubernetes, isPlanned: true });
    await run(["up", "--yes", "--skip-preview", ...named], { environment });
  };
  const engine: RolloutEngine = {
    update,
    target: targeted,
    remove: async (urns, forgotten, kubernetes) => {
      await target.engine.changeState((state) => detached(state, urns, forgotten));
      await targeted(
        urns.filter((urn) => !forgotten.includes(urn)),
        kubernetes,
      );
    },
    forget: async (urns) => {
      await target.engine.changeState((state) => detached(state, urns, urns));
      for (const urn of urns) gone.add(urn);
    },
    snapshot: () => keepEtcd(target, display),
  };
  const { health } = (await target.config()).rollout;
  const { actions, made } = await actionsOn(cluster, changes, checksOf(health));
  const timeouts = { ...usual, health: health.timeout * 60_000 };
  const command = deployCommand(target);
  const bootCommand = (machine: string): string => hearthCommand(target, "boot", target.stack, machine);
  const machines = machinesOf(plan.steps, Object.keys(cluster.recorded));
  const left = await alone(target, display, { signal, cluster, machines }, (held) =>
    carryOutRollout(plan, cluster, changes, {
      ...{ actions, made, engine, display, options, timeouts, command, bootCommand, ...held },
      recorded: cluster.recorded,
    }),
  );
  display.clear();
  return left;
};

/** Machines that steps are about. An upgrade of Kubernetes is about all of them. */
const machinesOf = (steps: readonly Step[], all: readonly string[]): string[] => [
  ...new Set(
    steps.flatMap((step) => ("from" in step ? [step.from, step.machine] : "machine" in step ? step.machine : all)),
  ),
];

const taint = async ({ access }: RunningCluster, display: Display, { taints }: MachineChanges): Promise<void> => {
  const kubernetes = new Kubernetes(access.kubeconfig);
  for (const [name, change] of Object.entries(taints)) {
    if (await setTaints(kubernetes, name, change))
      display.line(
        `  The node ${name} has its taints: ${[...change.set.map(taintText), ...change.removed.map(removedText)].join(" ")}`,
      );
  }
};

const forget = async (
  { engine }: Target,
  display: Display,
  cluster: RunningCluster,
  { machines, removed }: MachineChanges,
): Promise<void> => {
  const recorded = recordedMachines(await engine.state());
  const known: KnownMachines = {
    desired: Object.keys(machines),
    recorded: Object.keys(recorded),
    removed: Object.keys(removed),
  };
  // A cluster that does not answer has nothing to forget now; the next deployment looks again.
  if (!answers(cluster)) return;
  for (const name of await forgetRemoved(cluster, known)) {
    display.line(`  The node ${name} is deleted, for its machine is removed`);
  }
};

const runOn =
  ({ engine, root }: Target, display: Display, signal: AbortSignal) =>
  async (
    operation: Operation,
    options: Pick<RunOptions, "onEvent" | "policyPacks" | "environment"> = {},
  ): Promise<RunReport> => {
    const ended = await engine.try(operation, {
      policyPacks: [policyPack(root)],
      ...options,
      signal,
      onProgress: (report) => {
        display.live(`${operation[0]}: ${describeProgress(report)}`);
      },
    });
    display.clear();
    const { report, exitCode } = ended;
    // The engine also fails on unexpected changes; the caller reports which they are.
    const isChanged = operation.includes("--expect-no-changes") && report.errors.length === 0 && !report.isUnchanged;
    if (exitCode !== 0 && !(isChanged && report.counts !== undefined)) throw engine.failed(operation, ended);
    return report;
  };

/**
 * Refuses a plan that loses anything that no exemption names.
 *
 * @param isPlanned whether the plan of a rollout judges etcd's quorum
 * @throws Problem that names each loss
 */
const requireKept = async ({ root, stack, engine }: Target, losses: Losses, isPlanned: boolean): Promise<void> => {
  if (losses.all.length === 0) return;
  const { config } = examineStackFile(readStackFile(root, stack));
  const exemptions = config?.policy.exemptions ?? [];
  const why = refusals(losses, await recordedIn(engine), exemptions, today(), { isPlanned });
  if (why.length > 0) throw new Problem(`${stack} is not deployed:\n${why.map((each) => `  ${each}`).join("\n")}`);
};

/** Removes the protection of exempted resources. An update restores it on those that the program still has. */
const unprotect = async (target: Target, display: Display): Promise<void> => {
  const { root, stack, engine } = target;
  if ((await engine.size()) === undefined) return;
  const { config } = examineStackFile(readStackFile(root, stack));
  const { nodes } = await target.config();
  const names = await unprotectExempted(engine, config?.policy, nodes);
  for (const name of names) {
    display.line(`  ${name} may be replaced or deleted, as an exemption of ${stackFile(stack)} says`);
  }
};

const remindOfEscrow = async (target: Target, display: Display): Promise<void> => {
  const { root, stack, engine } = target;
  const escrow = await escrowProblem(root, stack, await target.config(), await recordedIn(engine));
  if (escrow) {
    const advice = escrow.advice ?? `write it with npx hearth escrow ${stack}, and commit what it names`;
    display.line(`  ${escrow.path} ${escrow.problem}: ${advice}`);
  }
  const { escrow: named } = await target.config();
  if (named && !named.signers) {
    const file = `Pulumi.${stack}.yaml`;
    display.line(
      `  ${file} does not name who signs backups: write that with npx hearth escrow ${stack}, and commit both`,
    );
  }
};

/** Backs the state up, as after every update. The update is done by then, so a failure is reported and undoes nothing. */
const keepState = async (target: Target, display: Display): Promise<void> => {
  if (!(await target.config()).escrow) {
    display.line("  The state has no backup, for hearth:escrow names nobody who could open one");
    return;
  }
  display.live("Backing the state up");
  const { stack } = await requireSigningKeys(target);
  const { name, copies } = await backUpState(target, stack.privateKey);
  display.clear();
  for (const { destination, problem } of copies) {
    display.line(
      problem === undefined
        ? `  The state is kept in ${destination}: ${name}`
        : `  It is not in ${destination}: ${problem}`,
    );
  }
  if (copies.some(({ problem }) => problem !== undefined)) {
    throw new Problem(
      `${target.stack} is deployed, and a backup of its state failed: npx hearth backup ${target.stack}`,
    );
  }
};

const counted = ({ counts = {} }: RunReport): string =>
  Object.entries(counts)
    .map(([operation, count]) => `${count} ${operation}`)
    .join(", ");
