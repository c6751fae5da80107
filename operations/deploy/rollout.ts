import { lookup } from "node:dns/promises";

import { execa } from "execa";

import { resourceTypes } from "../../components/resource-types.ts";
import type { RolloutConfig } from "../../infra/config/rollout.ts";
import { nameToResolve, strandedProblem } from "../../infra/reach.ts";
import type { Role } from "../../components/talos/settings.ts";
import { withServer } from "../../components/talos/kubeconfig.ts";
import { typesOf } from "../../components/urn.ts";
import { Kubernetes } from "../../lib/cluster/kubernetes.ts";
import { clusterActions, type Actions, type EngineActions } from "../../lib/rollout/actions.ts";
import { carryOut } from "../../lib/rollout/carry-out.ts";
import { quorumProblems, type EtcdView } from "../../lib/rollout/gates.ts";
import type { HealthCheck } from "../../lib/rollout/health-check.ts";
import { planRollout, secondsOf, type RolloutPlan } from "../../lib/rollout/plan.ts";
import { readNodes } from "../../lib/rollout/read.ts";
import type { Changes, Running, Step } from "../../lib/rollout/step.ts";
import type { Timeouts } from "../../lib/rollout/surroundings.ts";
import { describeTime, nextWindow } from "../../lib/rollout/windows.ts";
import { duration, type Display } from "../../lib/terminal/display.ts";
import { messageOf, Problem } from "../../toolchain/problem.ts";
import type { MachineChanges } from "./changes.ts";
import type { RunningCluster } from "./running.ts";
import { announcement, completion } from "./step-lines.ts";

/** How a person has a rollout carried out. */
export interface RolloutOptions {
  /** Asks before each step. */
  confirm?: ((question: string) => Promise<boolean>) | undefined;
  /** Ends after the step of this name. */
  until?: string | undefined;
  /** When machines may be taken out of service. @default always */
  windows?: RolloutConfig | undefined;
}

/** What the engine does in a rollout. */
export interface RolloutEngine {
  /** Updates some resources, while the program renders a release of Kubernetes. */
  target: (urns: readonly string[], kubernetes: string) => Promise<void>;
  /** Destroys some resources of a machine. Those to forget are taken from the state, and nothing is done to what they stand for. */
  remove: (urns: readonly string[], forgotten: readonly string[], kubernetes: string) => Promise<void>;
  /** Takes resources from the state, and does nothing to what they stand for. */
  forget: (urns: readonly string[]) => Promise<void>;
  /** Updates the whole stack, while the program renders a release of Kubernetes. */
  update: (kubernetes: string) => Promise<void>;
  /** Takes a snapshot of etcd, before the first step that can hurt it. */
  snapshot: () => Promise<void>;
}

/**
 * Plans the rollout of a stack.
 *
 * Where what runs cannot be read, it is planned from what was recorded, and no step may come of it.
 *
 * @throws Problem that says why it is not carried out
 */
export const planFor = (
  stack: string,
  changes: Changes,
  { running, recorded, etcd, problems }: RunningCluster,
): RolloutPlan => {
  // A machine that goes anyway need not answer, nor one that an interrupted run destroyed.
  const isGoing = (machine = ""): boolean =>
    machine in changes.removed || (changes.replaced.includes(machine) && running.marked.includes(machine));
  const missing = problems
    .filter(({ machine }) => !isGoing(machine))
    .map(({ machine = "", problem }) =>
      changes.replaced.includes(machine)
        ? `${problem}. It cannot be drained, so remove it from the stack file first, and add it again in another deployment`
        : problem,
    );
  const plan = planRollout(changes, missing.length === 0 ? running : asRecorded(running, recorded));
  const refusals = [
    ...plan.refusals,
    ...(plan.steps.length > 0 ? [...missing, ...withoutQuorum(stack, etcd)] : []),
    ...Object.keys(changes.restarts)
      .filter(
        (machine) => missing.length === 0 && !(machine in running.machines) && !changes.replaced.includes(machine),
      )
      .map((machine) => `${machine} is renamed, and has to restart: deploy its new name alone first`),
  ];
  if (refusals.length === 0) return plan;
  throw new Problem([`${stack} is not deployed:`, ...refusals.map((each) => `  ${each}`)].join("\n"));
};

/** Without a quorum no step ends well, and what comes before the first one would be done for nothing. */
const withoutQuorum = (stack: string, etcd: readonly EtcdView[]): string[] => {
  const problems = quorumProblems(etcd);
  if (problems.length === 0) return [];
  return [
    `etcd has no quorum: ${problems.join("; ")}. Start these control planes again. ` +
      `If they are lost for good, npx hearth rebuild ${stack} --etcd latest begins etcd anew with its latest snapshot`,
  ];
};

const asRecorded = (running: Running, recorded: RunningCluster["recorded"]): Running => ({
  ...running,
  machines: Object.fromEntries(
    Object.entries(recorded).map(([name, { image }]) => [name, { ...image, ...running.machines[name] }]),
  ),
});

/** The steps, a line each, under what they are together. */
export const describePlan = ({ steps, notes }: RolloutPlan): string[] => [
  ...notes,
  ...(steps.length === 0
    ? []
    : [
        `${steps.length} ${steps.length === 1 ? "step" : "steps"}, about ${duration(secondsOf(steps))}; one after the other:`,
        ...steps.map((step) => `  ${announcement(step)}`),
      ]),
];

/** Whether a name is that of a step, or of its machine. */
const isNamed = (step: Step, name: string): boolean =>
  step.name === name || ("machine" in step && step.machine === name);

/**
 * Carries the steps of a rollout out, and updates the stack.
 *
 * @returns the steps that are left, where the person ended it before
 * @throws Problem if a step fails. A run that begins again goes on with it
 */
export const carryOutRollout = async (
  { steps }: RolloutPlan,
  { running }: { running: Running },
  changes: MachineChanges,
  around: {
    actions: Omit<Actions, keyof EngineActions>;
    engine: RolloutEngine;
    display: Pick<Display, "live" | "line">;
    signal: AbortSignal;
    command: string;
    bootCommand: (machine: string) => string;
    options: RolloutOptions;
    /** Silences the alerts that are expected, before the first step and while the next ones go on. @default nothing is silenced */
    silence?: () => Promise<void>;
    /** Called when the engine has configured a machine, or made it. @default nothing is done */
    made?: (machine: string) => void;
    /** Machines that the state has. */
    recorded: Record<string, { role: "controlplane" | "worker" }>;
    timeouts?: Timeouts;
  },
): Promise<Step[]> => {
  const { engine, display, signal, command, bootCommand, options, timeouts } = around;
  requireNamed(steps, options.until);
  let machines: Record<string, { role: Role }> = around.recorded;
  let kubernetes = running.kubernetes.lowest;
  const actions: Actions = {
    ...around.actions,
    configure: async (name) => {
      // It is the only change of machines then.
      if (name in (changes.renamed ?? {})) await engine.update(kubernetes);
      else await engine.target(changes.targets[name] ?? [], kubernetes);
      around.made?.(name);
    },
    forget: async (name) => {
      await engine.forget((changes.targets[name] ?? []).filter(isConfiguration));
      // Whoever boots it gives it its new address.
      around.made?.(name);
    },
    remove: (name, isLost) => {
      const urns = changes.deletions[name] ?? [];
      // The engine would have it reset.
      const forgotten = isLost ? urns.filter(isConfiguration) : [];
      return engine.remove(urns, forgotten, kubernetes);
    },
  };
  const isEarly = (step: Step): boolean => {
    const opens = waitsFor(step, running, options);
    if (opens !== undefined)
      display.line(`${step.name} waits for a window of hearth:rollout, ${opens}: run ${command} then, or with --now`);
    return opens !== undefined;
  };
  const [first] = steps;
  if (first !== undefined && isEarly(first)) return [...steps];
  await requireExpressions(actions, command);
  await prepare(steps, changes, around, kubernetes);
  for (const [index, step] of steps.entries()) {
    signal.throwIfAborted();
    if (isEarly(step)) return steps.slice(index);
    if (options.confirm && !(await options.confirm(`${step.name} ${step.what}. Out of service: ${step.out}. Go on?`)))
      return steps.slice(index);
    // What needs no step, and removes what was drained, is updated before a Kubernetes upgrade that comes last.
    if (step.kind === "kubernetes" && index === steps.length - 1) await engine.update(kubernetes);
    if (step.kind !== "join") await around.silence?.();
    const started = Date.now();
    const number = `Step ${index + 1} of ${steps.length}`;
    await carryOut(step, {
      machines,
      actions,
      ...{ signal, command, bootCommand },
      say: (text) => {
        display.line(text);
      },
      live: (text) => {
        display.live(`${number}, usually ${duration(step.seconds)}: ${text}`);
      },
      ...(timeouts && { timeouts }),
    });
    if (step.kind === "kubernetes") kubernetes = step.to;
    machines = after(step, machines);
    display.line(completion(number, step, (Date.now() - started) / 1000));
    if (options.until !== undefined && isNamed(step, options.until)) return steps.slice(index + 1);
  }
  await engine.update(kubernetes);
  return [];
};

const isConfiguration = (urn: string): boolean => typesOf(urn).at(-1) === resourceTypes.machineConfiguration;

/**
 * Has all health expressions evaluated once, so that a mistake in one ends a rollout before anything is done.
 *
 * @throws Problem that names what no cluster satisfies
 */
const requireExpressions = async ({ health }: Pick<Actions, "health">, command: string): Promise<void> => {
  const { mistakes } = await health();
  if (mistakes.length === 0) return;
  throw new Problem(
    [
      "The health expressions of hearth:rollout are not about this cluster:",
      ...mistakes.map((each) => `  ${each}`),
      `Nothing was begun. Correct them, then run ${command} again`,
    ].join("\n"),
  );
};

/**
 * Requires that the API answers at an endpoint that the cluster does not have yet.
 *
 * @throws Problem that says why it does not
 */
export const requireReachable = async (kubeconfig: string, endpoint: string | undefined): Promise<void> => {
  if (endpoint === undefined) return;
  const moved = withServer(kubeconfig, endpoint);
  if (moved === kubeconfig) return;
  await new Kubernetes(moved).text("/readyz").catch((error: unknown) => {
    const why = messageOf(error);
    throw new Problem(
      `cluster.endpoint would go to ${endpoint}, where the API does not answer: ${why}\n` +
        "Nothing was changed. Look whether the name leads to a control plane, and whether its certificates have it (cluster.certSANs)",
    );
  });
};

/** The addresses that a name leads to. */
export type Resolve = (name: string) => Promise<string[]>;

const addressesOf: Resolve = async (name) => (await lookup(name, { all: true })).map(({ address }) => address);

/**
 * Requires that the name by which the cluster is reached does not lead to a VIP that goes away.
 *
 * @throws Problem that says where it leads, or that this is not known
 */
export const requireLed = async (reach: Changes["reach"], resolve: Resolve = addressesOf): Promise<void> => {
  const name = reach && nameToResolve(reach.before, reach.after);
  if (reach === undefined || name === undefined) return;
  const addresses = await resolve(name).catch((error: unknown) => {
    const why = messageOf(error);
    throw new Problem(
      `cluster.vip would go away, and where ${name} of cluster.endpoint leads is not known: ${why}\nNothing was changed. Deploy where that name is known`,
    );
  });
  const problem = strandedProblem(name, addresses, reach.before, reach.after);
  if (problem !== undefined) throw new Problem(`${problem}\nNothing was changed`);
};

/** When a step may begin; undefined if it may now. What an interrupted run took out of service is put back at any time. */
const waitsFor = (step: Step, { marked }: Running, { windows }: RolloutOptions): string | undefined => {
  const isOutage = step.kind !== "join" && step.kind !== "finish" && !("isLost" in step && step.isLost);
  if (windows === undefined || !isOutage) return undefined;
  if ("machine" in step && marked.includes("from" in step ? step.from : step.machine)) return undefined;
  const opens = nextWindow(windows, new Date());
  return opens && describeTime(opens, windows.timeZone);
};

/** The machines of a cluster after a step. */
const after = (step: Step, machines: Record<string, { role: Role }>): Record<string, { role: Role }> => {
  if (step.kind === "rename") {
    const { [step.from]: now, ...others } = machines;
    return { ...others, ...(now && { [step.machine]: now }) };
  }
  if (step.kind === "join" || step.kind === "replace") return { ...machines, [step.machine]: { role: step.role } };
  if (step.kind !== "remove") return machines;
  return Object.fromEntries(Object.entries(machines).filter(([name]) => name !== step.machine));
};

const requireNamed = (steps: readonly Step[], until: string | undefined): void => {
  if (until === undefined || steps.some((step) => isNamed(step, until))) return;
  const names = steps.map(({ name }) => name).join(", ");
  throw new Problem(`--until ${until} names no step: ${names === "" ? "there is none" : `name one of ${names}`}`);
};

/** Does what shows that a rollout cannot succeed, or makes good what it spoils, before anything is taken out of service. */
const prepare = async (
  steps: readonly Step[],
  { registrations, machines }: MachineChanges,
  {
    engine,
    actions,
    display,
    command,
  }: { engine: RolloutEngine; actions: Pick<Actions, "pull">; display: Pick<Display, "live">; command: string },
  kubernetes: string,
): Promise<void> => {
  const images = steps.flatMap((step) => {
    if (step.kind === "talos") return [{ machine: step.machine, to: step.to }];
    // Once it is wiped, only its new image brings it back.
    if (step.kind !== "replace" || step.secureBoot === undefined || step.isLost) return [];
    const to = machines[step.machine]?.image;
    return to === undefined ? [] : [{ machine: step.machine, to }];
  });
  if (images.length > 0 && registrations.length > 0) await engine.target(registrations, kubernetes);
  for (const { machine, to } of images) {
    display.live(`${machine}: pulling ${to.installer}`);
    await actions.pull(machine, to).catch((error: unknown) => {
      const why = messageOf(error);
      throw new Problem(
        `${machine} cannot pull ${to.installer}: ${why}\nNothing was taken out of service. Look at the Image Factory and at the release, then run ${command} again`,
      );
    });
  }
  const isOfPlane = (step: Step): boolean => {
    if (step.kind === "kubernetes" || step.kind === "finish") return step.kind === "kubernetes";
    const roles = [
      machines[step.machine]?.role ?? ("role" in step ? step.role : undefined),
      "former" in step && step.former,
    ];
    return roles.includes("controlplane");
  };
  if (steps.some(isOfPlane)) await engine.snapshot();
};

/** What the engine does, for a rollout that has no use for it. */
export const engineless: Pick<Actions, keyof EngineActions> = (() => {
  const refuse = (): Promise<never> => Promise.reject(new Error("This rollout has no engine"));
  return { configure: refuse, forget: refuse, remove: refuse };
})();

/** The actions of a rollout on a cluster that runs, but for what the engine does. */
export interface ClusterActions {
  actions: Omit<Actions, keyof EngineActions>;
  /** From now on, a machine that the engine has made answers at its new address. */
  made: (machine: string) => void;
}

/** Returns the actions of a rollout. A machine that is replaced has its former address until then. */
export const actionsOn = async (
  { access, recorded, talosctl }: RunningCluster,
  { joining }: Pick<MachineChanges, "joining">,
  health: readonly HealthCheck[],
): Promise<ClusterActions> => {
  const { stdout } = await execa(talosctl, ["upgrade", "--help"]);
  // Since Talos 1.13.
  const drainsByItself = /--drain\b/.test(stdout);
  const machines = { ...joining, ...recorded };
  return {
    actions: clusterActions({ ...access, machines }, { drainsByItself, health }),
    made: (machine) => {
      const now = joining[machine];
      if (now) machines[machine] = now;
    },
  };
};

/**
 * Deletes the nodes of machines that were removed.
 *
 * A node is deleted only if a rollout drained it or this update removed its machine, the stack file has no such machine, and the state
 * has none any more.
 *
 * @returns the names of the deleted ones
 */
export const forgetRemoved = async (
  { access: { kubeconfig } }: RunningCluster,
  known: KnownMachines,
): Promise<string[]> => {
  const gone = removedNodes(await readNodes(kubeconfig), known);
  for (const name of gone) await new Kubernetes(kubeconfig).delete(`/api/v1/nodes/${name}`);
  return gone;
};

/** What is known of machines, for the decision which nodes have none any more. */
export interface KnownMachines {
  /** Machines of the stack file. */
  desired: readonly string[];
  /** Machines of the state, after the update. */
  recorded: readonly string[];
  /** Machines that this update removed. One that did not answer could not be drained. */
  removed: readonly string[];
}

/**
 * Says which nodes are not Ready and are no machines of the stack. DaemonSets are never Ready while they have a pod there, and a rollout waits
 * for its health. One that is marked is deleted by the deployment itself.
 */
export const strangers = (
  nodes: readonly { name: string; isReady: boolean; mark: string | undefined }[],
  { desired, recorded }: Pick<KnownMachines, "desired" | "recorded">,
): string[] =>
  nodes
    .filter(({ name, isReady, mark }) => !isReady && mark === undefined && ![...desired, ...recorded].includes(name))
    .map(
      ({ name }) =>
        `The node ${name} is not Ready, and is no machine of this stack: if it is gone for good, \`kubectl delete node ${name}\``,
    );

/** The nodes that have no machine any more: those that were drained for that, or whose machine this update removed. */
export const removedNodes = (
  nodes: readonly { name: string; mark: string | undefined; isCordoned: boolean }[],
  { desired, recorded, removed }: KnownMachines,
): string[] =>
  nodes
    .filter(({ name, mark, isCordoned }) => (mark !== undefined && isCordoned) || removed.includes(name))
    .map(({ name }) => name)
    .filter((name) => !desired.includes(name) && !recorded.includes(name));
