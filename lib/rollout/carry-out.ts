import { setTimeout as sleep } from "node:timers/promises";

import { messageOf, Problem } from "../../toolchain/problem.ts";
import { Unanswered } from "../cluster/kubernetes.ts";
import type { Actions } from "./actions.ts";
import type { Pod } from "./drain.ts";
import { updateFirmware } from "./firmware.ts";
import { awaitBoot, wipe } from "./first-boot.ts";
import { gateProblems, type Readings } from "./gates.ts";
import type { Health } from "./health.ts";
import { isInstalled } from "./plan.ts";
import type { MachineReading } from "./read.ts";
import type {
  ConfigureStep,
  FinishStep,
  FirmwareStep,
  JoinStep,
  KubernetesStep,
  RemoveStep,
  RenameStep,
  ReplaceStep,
  Step,
  TalosStep,
} from "./step.ts";
import { eventually, usual, whileOut, type Surroundings } from "./surroundings.ts";
import { Waiting } from "./waiting.ts";

/**
 * Carries out a step: waits for its gate, takes the machine out of service, acts, verifies, and puts it back.
 *
 * Any part that is done already is skipped, so that a run can go on with what another one began.
 *
 * @throws Problem that says what is the case, what is out of service, and how to go on
 */
export const carryOut = async (step: Step, around: Surroundings): Promise<void> => {
  await work(step, around);
  // The pods of a machine that joins, and of one that is lost, are nothing that the step takes away.
  if (step.kind !== "join" && !isOfLost(step)) await healthyAfter(step, around);
};

/** Whether a step is about a machine that is gone already. What it had is missing until the step is done. */
const isOfLost = (step: Step): boolean => "isLost" in step && step.isLost;

const work = async (step: Step, around: Surroundings): Promise<void> => {
  switch (step.kind) {
    case "finish":
      await whole(step.machine, around);
      return around.actions.putBack(step.machine);
    case "kubernetes":
      return upgradeKubernetes(step, around);
    case "join":
      return join(step, around);
    case "replace":
      return replace(step, around);
    case "remove":
      return remove(step, around);
    case "configure":
      return step.isDrained
        ? outOfService(step, around, () => configure(step, around))
        : configureInService(step, around);
    case "rename":
      return rename(step, around);
    case "talos":
      return outOfService(step, around, () => upgradeTalos(step, around));
    case "firmware":
      await requireNoneOut(step, around);
      return outOfService(step, around, () => updateFirmware(step, around, () => restartWhole(step.machine, around)));
  }
};

/**
 * Requires that no rollout has left another machine out of service, Ready or not. A plan goes on with such a machine first; this step has no plan.
 *
 * @throws Problem that names it
 */
const requireNoneOut = async ({ machine }: FirmwareStep, around: Surroundings): Promise<void> => {
  const { actions, machines, timeouts = usual, command } = around;
  const found = { out: [] as string[] };
  const isRead = await eventually(around, timeouts.gate, async () => {
    const { nodes } = await actions.readings(Object.keys(machines));
    found.out = nodes.flatMap(({ name, mark }) => (mark !== undefined && name !== machine ? [name] : []));
    return nodes.length > 0;
  });
  if (isRead && found.out.length === 0) return;
  throw new Problem(
    isRead
      ? `${machine} was left as it is, for ${found.out.join(", ")} is out of service by a deployment, or an update of firmware, that was ended.\n` +
          `Go on with that first: npx hearth deploy, or npx hearth firmware for ${found.out.join(", ")}. Then run ${command} again`
      : `${machine} was left as it is, for the Kubernetes API says nothing of the nodes: run ${command} again`,
  );
};

const outOfService = async (
  step: TalosStep | ConfigureStep | FirmwareStep,
  around: Surroundings,
  change: () => Promise<void>,
): Promise<void> => {
  const { machine } = step;
  await gate(step, around);
  await takeOut(machine, around, true);
  await change();
  await whole(machine, around);
  await around.actions.putBack(machine);
};

/** Adds a machine. What an interrupted run created of it is there already. */
const join = async (step: JoinStep, around: Surroundings): Promise<void> => {
  const { machine, role } = step;
  const { actions, live } = around;
  await gate(step, around);
  if (step.secureBoot !== undefined) await awaitBoot({ machine, isSecureBoot: step.secureBoot, mayRun: true }, around);
  live(`${machine}: creating it`);
  await actions.configure(machine);
  await whole(machine, { ...around, machines: { ...around.machines, [machine]: { role } } });
  await actions.putBack(machine);
};

/**
 * Gives a machine another name. Kubernetes takes it for another node, so its pods have to leave before.
 *
 * A member of etcd has the name with which it started, so a control plane restarts. The former node is deleted when the machine itself reports
 * as the new one. Source: siderolabs/talos v1.13.9, internal/app/machined/pkg/system/services/etcd.go, and refreshKubeletCerts of
 * pkg/controllers/k8s/kubelet_service.go.
 */
const rename = async (step: RenameStep, around: Surroundings): Promise<void> => {
  const { machine, from } = step;
  const { actions, live, timeouts = usual } = around;
  const { [from]: before, [machine]: named, ...others } = around.machines;
  const now = named ?? before;
  if (named) await gate({ ...step, machine: from }, { ...around, machines: others });
  else {
    await gate({ ...step, machine: from }, around);
    await takeOut(from, around, true);
    await handVipsOver(from, around);
    live(`${from}: giving it the name ${machine}`);
    await actions.configure(machine);
  }
  if (now?.role === "controlplane") await restart(machine, around);
  await whole(machine, { ...around, machines: { ...others, ...(now && { [machine]: now }) } });
  const isForgotten = await eventually(around, timeouts.gate, () => actions.deleteNode(from).then(() => true));
  if (!isForgotten)
    throw new Problem(`${from} is ${machine} now, and its former node is left: \`kubectl delete node ${from}\``);
};

const restart = async (machine: string, around: Surroundings): Promise<void> => {
  const { actions, live, timeouts = usual } = around;
  let before: MachineReading | undefined;
  await eventually(around, timeouts.boot, async () => {
    before = await actions.machine(machine);
    return true;
  });
  // Whatever keeps it from answering is told when the cluster is to be whole again.
  if (before === undefined) return;
  live(`${machine}: restarting it`);
  await whileOut(machine, "its restart", around, actions.reboot(machine));
  await rebooted(machine, before, around);
};

/** Restarts a machine, and waits until it and everything else is back. */
const restartWhole = async (machine: string, around: Surroundings): Promise<void> => {
  await restart(machine, around);
  await whole(machine, around);
};

/**
 * Destroys a machine and creates it again. Only the engine's preview tells that this is still to do.
 *
 * Where a person has to boot it in between, it is wiped here, and its configuration is taken from the state: the engine would wipe less, and
 * configure it at once. A later run finds a machine that is to be created, and waits for the same.
 */
const replace = async (step: ReplaceStep, around: Surroundings): Promise<void> => {
  const { machine, role, isLost } = step;
  const { actions, live } = around;
  await gate(step, around);
  await (isLost ? requireLost(machine, around) : takeOut(machine, around));
  await leaveEtcd(step, around);
  if (step.secureBoot === undefined) live(`${machine}: destroying it, and creating another one`);
  else {
    if (!isLost) await wipe(machine, around);
    await actions.forget(machine);
    await awaitBoot({ machine, isSecureBoot: step.secureBoot, mayRun: false }, around);
    live(`${machine}: giving it its configuration`);
  }
  await actions.configure(machine);
  await whole(machine, { ...around, machines: { ...around.machines, [machine]: { role } } });
  await actions.putBack(machine);
};

const remove = async (step: RemoveStep, around: Surroundings): Promise<void> => {
  const { machine, isLost } = step;
  const { actions, live, timeouts = usual } = around;
  await gate(step, around);
  if (isLost) await requireLost(machine, around);
  // The mark has a later run delete its node, wherever this one is killed. Its pods end with the node.
  await (isLost ? actions.takeOut(machine) : takeOut(machine, around));
  await leaveEtcd(step, around);
  live(`${machine}: removing it`);
  await actions.remove(machine, isLost);
  await requireGone(step, around);
  // The address of the API may be on its way to another machine.
  const isForgotten = await eventually(around, timeouts.gate, () => actions.deleteNode(machine).then(() => true));
  if (!isForgotten) throw new Problem(`${machine} is removed, and its node is not: \`kubectl delete node ${machine}\``);
};

/**
 * Proves that a machine does not run. One whose Talos is silent may run all the same, with its pods and their volumes.
 *
 * @throws Problem if it answers, or if its kubelet does
 */
const requireLost = async (machine: string, around: Surroundings): Promise<void> => {
  const { actions, live, command, machines, timeouts = usual } = around;
  if (await answers(machine, actions))
    throw new Problem(`${machine} answers again, and was left as it is: run ${command} again, which drains it first`);
  const isSilent = await eventually(around, timeouts.gate, async () => {
    const { nodes } = await actions.readings(Object.keys(machines).filter((name) => name !== machine));
    const isReady = nodes.some(({ name, isReady: ready }) => name === machine && ready);
    if (isReady) live(`${machine}: its node is Ready`);
    return !isReady;
  });
  if (isSilent) return;
  throw new Problem(
    `${machine} is left as it is: its Talos API does not answer, and its node is Ready, so it runs. Look at the way to ${machine}, ` +
      `or power it off, then run ${command} again`,
  );
};

const answers = (machine: string, actions: Actions): Promise<boolean> =>
  actions.machine(machine).then(
    () => true,
    () => false,
  );

/**
 * Takes a control plane out of etcd, while the others have their quorum. A leader gives its office to another one before.
 *
 * A machine that is lost is taken out by another one. While etcd elects, it answers nothing, so each is asked again.
 */
const leaveEtcd = async (step: RemoveStep | ReplaceStep, around: Surroundings): Promise<void> => {
  const { machine, isLost } = step;
  if ((step.kind === "replace" ? step.former : step.role) !== "controlplane") return;
  const { actions, live, timeouts = usual, command } = around;
  const others = otherPlanes(machine, around);
  const [through] = others;
  if (through === undefined)
    throw new Problem(`${machine} is the only control plane, and stays in etcd: add another one first`);
  if (!isLost) await handVipsOver(machine, around);
  let reason = "";
  const hasLeft = await eventually(around, timeouts.gate, async () => {
    try {
      if (!(await isMember(machine, others, actions))) return true;
      live(`${machine}: taking it out of etcd`);
      if (isLost) await actions.removeMember(machine, through);
      else {
        await actions.forfeitLeadership(machine);
        await actions.leaveEtcd(machine);
      }
    } catch (error) {
      reason = `: ${messageOf(error)}`;
    }
    return false;
  });
  if (hasLeft) return;
  throw new Problem(
    `${machine} is drained, and is still a member of etcd${reason}\n` +
      `Look at \`talosctl etcd members\` on ${through}, then run ${command} again`,
  );
};

/**
 * Has another control plane serve the VIPs, before a machine's API server restarts or its member leaves etcd.
 *
 * Otherwise the API is away behind the VIP until that server is back, or until etcd ends the member's lease after a minute. That is no
 * reason not to go on, so a machine that cannot do it is none either.
 */
const handVipsOver = async (machine: string, around: Surroundings): Promise<void> => {
  const { machines, actions, live, signal, timeouts = usual } = around;
  if (machines[machine]?.role !== "controlplane" || otherPlanes(machine, around).length === 0) return;
  live(`${machine}: handing its VIP over`);
  const hasGivenUp = await actions.giveUpVips(machine).then(
    () => true,
    () => false,
  );
  if (hasGivenUp) await sleep(timeouts.pause, undefined, { signal }).catch(() => undefined);
};

const otherPlanes = (machine: string, { machines }: Surroundings): string[] =>
  Object.keys(machines).filter((name) => name !== machine && machines[name]?.role === "controlplane");

/**
 * Whether any of the others counts a machine among etcd's members.
 *
 * @throws Error if one of them does not say
 */
const isMember = async (machine: string, others: readonly string[], actions: Actions): Promise<boolean> => {
  const { etcd } = await actions.readings(others);
  const silent = etcd.find(({ problem }) => problem !== undefined);
  if (silent) throw new Error(`The etcd member of ${silent.machine} does not answer: ${silent.problem ?? ""}`);
  return etcd.some(({ members }) => members.some(({ name }) => name === machine));
};

/** Waits for the proof that a machine is out: it does not answer any more, and no member of etcd counts it. */
const requireGone = async ({ machine, role }: RemoveStep, around: Surroundings): Promise<void> => {
  const { actions, timeouts = usual, command } = around;
  const isOut = await eventually(
    around,
    timeouts.boot,
    async () =>
      !(await answers(machine, actions)) &&
      !(role === "controlplane" && (await isMember(machine, otherPlanes(machine, around), actions))),
  );
  if (isOut) return;
  throw new Problem(
    `${machine} was removed, and still answers as a machine of the cluster: reset it with \`talosctl reset\`, then run ${command} again`,
  );
};

/**
 * Waits until the cluster can spare the machine of a step, and is healthy. The machine itself may be out of service already.
 *
 * A machine that joins or leaves may be outside of etcd as well. Nothing is asked about health where a step takes nothing away.
 */
const gate = async (step: Exclude<Step, FinishStep>, around: Surroundings): Promise<void> => {
  const { machines, actions, live, timeouts = usual, command } = around;
  const machine = "machine" in step ? step.machine : undefined;
  const isOutside = "role" in step;
  const waiting = new Waiting();
  let problems = ["The cluster does not answer"];
  let health: Health = healthy;
  const isOpen = await eventually(
    around,
    () => (problems.length > 0 ? waiting.since("cluster") + timeouts.gate : waiting.since("health") + timeouts.health),
    async () => {
      const readings = await actions.readings(Object.keys(machines));
      problems = gateProblems({ machines, except: machine, isOutside }, readings);
      if (problems[0] === undefined) waiting.end("cluster");
      else live(`Waiting: ${problems[0]}`);
      if (problems.length > 0 || !takesAway(step, readings)) return problems.length === 0;
      health = await healthOf(actions);
      const [unhealthy] = health.problems;
      if (unhealthy === undefined) return true;
      live(waiting.text("health", timeouts.health, unhealthy));
      // Its pods, which wait for it, may be what is missing.
      if (machine !== undefined && (await isBack(machine, readings, actions))) await actions.putBack(machine);
      return false;
    },
  );
  if (isOpen) return;
  const why = problems.length > 0 ? "the cluster cannot spare it" : "the cluster is not healthy";
  throw new Problem(
    [
      `${machine === undefined ? "Kubernetes is not upgraded" : `${machine} stays in service`}, because ${why}:`,
      ...[...problems, ...(problems.length > 0 ? [] : health.problems)].map((each) => `  ${each}`),
      `Nothing was begun. Mend that, then run ${command} again`,
    ].join("\n"),
  );
};

/**
 * Whether a step takes something away that the cluster has. A machine whose node is not Ready is out of service already, and may be what
 * the health lacks; its disks are destroyed only where nothing else is missing.
 */
const takesAway = (step: Step, { nodes }: Readings): boolean => {
  if (step.kind === "join" || isOfLost(step)) return false;
  if (!["configure", "talos", "firmware"].includes(step.kind) || !("machine" in step)) return true;
  return nodes.find(({ name }) => name === step.machine)?.isReady !== false;
};

/** Waits until the machine and everything else is back. */
const whole = async (machine: string, around: Surroundings): Promise<void> => {
  const { machines, actions, live, timeouts = usual, command } = around;
  let problems: string[] = [];
  const isWhole = await eventually(around, timeouts.boot, async () => {
    const readings = await actions.readings(Object.keys(machines));
    problems = gateProblems({ machines }, readings);
    if (problems.length === 0) problems = await oldNode(machine, readings, actions);
    if (problems[0] !== undefined) live(`${machine}: ${problems[0]}`);
    return problems.length === 0;
  });
  if (isWhole) return;
  throw new Problem(
    [
      `${machine} is out of service, and no other machine will be taken out:`,
      ...problems.map((each) => `  ${each}`),
      `Look at it with \`talosctl dmesg\` and \`talosctl services\`. Once it is back, run ${command} again`,
    ].join("\n"),
  );
};

/** Waits until the cluster is healthy after a step, and has been for as long as it takes to notice what is not. */
const healthyAfter = async (step: Step, around: Surroundings): Promise<void> => {
  const { actions, live, timeouts = usual, command } = around;
  const waiting = new Waiting();
  let health: Health = healthy;
  const isHealthy = await eventually(
    around,
    () => waiting.since("health") + timeouts.health,
    async () => {
      health = await healthOf(actions);
      const [problem] = health.problems;
      if (problem === undefined) {
        live(`${step.name}: looking whether the cluster stays healthy`);
        return Date.now() - waiting.since("settling") >= health.settles;
      }
      waiting.end("settling");
      live(waiting.text("health", timeouts.health, problem));
      return false;
    },
  );
  if (isHealthy) return;
  throw new Problem(
    [
      `${step.name} is done and all machines are in service, and the cluster is not healthy since:`,
      ...health.problems.map((each) => `  ${each}`),
      `No other machine is taken out of service. Once that is mended, run ${command} again`,
    ].join("\n"),
  );
};

const healthy: Health = { problems: [], mistakes: [], settles: 0 };

/** What was wrong in the configuration may also come up while a rollout goes on, such as a kind that somebody removed. */
const healthOf = async (actions: Actions): Promise<Health> => {
  const health = await actions.health();
  return { ...health, problems: [...health.mistakes, ...health.problems] };
};

/** Whether a machine that may be out of service answers, and its node with it. */
const isBack = async (machine: string, readings: Readings, actions: Actions): Promise<boolean> =>
  readings.nodes.some(({ name, isReady }) => name === machine && isReady) &&
  (await oldNode(machine, readings, actions)).length === 0;

/** Kubernetes counts a node as Ready for a while after its machine has gone. */
const oldNode = async (machine: string, { nodes }: Readings, actions: Actions): Promise<string[]> => {
  const now = await actions.machine(machine).catch(() => undefined);
  const isOfIt = nodes.some(({ name, boot }) => name === machine && boot === now?.boot);
  return isOfIt ? [] : [`The node ${machine} has not been reported by the machine since it booted`];
};

/**
 * Cordons a node and evicts its pods. A cluster of one machine has no other place for them.
 *
 * @param comesBack whether the machine is the same afterwards. Then pods that a budget keeps may stay, if no other node takes any: they
 * could not start elsewhere, so the budget would keep them for ever
 */
const takeOut = async (machine: string, around: Surroundings, comesBack = false): Promise<void> => {
  const { machines, actions, live, timeouts = usual, command } = around;
  const others = Object.keys(machines).filter((name) => name !== machine);
  if (others.length === 0) return;
  live(`${machine}: taking it out of service`);
  const mayStay = comesBack && !(await hasOtherPlace(machine, around));
  await actions.takeOut(machine);
  const evicted = new Map<string, Pod>();
  let staying: string[] = [];
  const isEmpty = await eventually(around, timeouts.drain, async () => {
    const pods = await actions.pods(machine);
    for (const pod of pods) evicted.set(idOf(pod), pod);
    staying = await evict(pods, actions);
    if (mayStay && staying.length > 0 && staying.every((each) => each.includes(budget))) return true;
    if (pods.length === 0) {
      const volumes = await actions.attached(machine, [...evicted.values()]);
      staying = volumes.map((volume) => `the volume ${volume} is still attached`);
    }
    if (staying[0] !== undefined) live(`${machine}: ${staying[0]}`);
    return pods.length === 0 && staying.length === 0;
  });
  if (isEmpty) return;
  await actions.putBack(machine);
  throw new Problem(
    [
      `${machine} cannot be drained, and is in service again:`,
      ...staying.map((each) => `  ${each}`),
      `Look at their PodDisruptionBudgets, or delete them by hand, then run ${command} again`,
    ].join("\n"),
  );
};

const idOf = ({ namespace, name }: Pod): string => `${namespace}/${name}`;

/** Whether any other node takes pods. What cannot be read counts as one. */
const hasOtherPlace = async (machine: string, { machines, actions }: Surroundings): Promise<boolean> => {
  const { nodes } = await actions.readings(Object.keys(machines));
  const others = nodes.filter(({ name }) => name !== machine);
  return others.length === 0 || others.some(({ isCordoned, isTainted }) => !isCordoned && isTainted !== true);
};

/** What the eviction of a pod is refused with where a budget keeps it. Source: Kubernetes v1.36, pkg/registry/core/pod/storage/eviction.go. */
const budget = "disruption budget";

/** Asks for the eviction of pods. Returns those that are still there, each with its reason. */
const evict = (pods: readonly Pod[], actions: Actions): Promise<string[]> =>
  Promise.all(
    pods.map(async (pod) => {
      try {
        await actions.evict(pod);
        return `the pod ${idOf(pod)} is ending`;
      } catch (error) {
        if (error instanceof Unanswered) return `the pod ${idOf(pod)} stays: ${error.message}`;
        throw error;
      }
    }),
  );

const upgradeTalos = async (step: TalosStep, around: Surroundings): Promise<void> => {
  const { machine, to } = step;
  const { actions, live, timeouts = usual, command } = around;
  const before = await actions.machine(machine);
  if (isInstalled(to, before)) return;
  live(`${machine}: ${step.what}`);
  try {
    await actions.install(machine, to);
  } catch (error) {
    const now = await actions.machine(machine).catch(() => undefined);
    // The connection may break because the machine reboots.
    if (now?.boot === before.boot) {
      await actions.putBack(machine);
      throw new Problem(
        `${machine} was not upgraded, and is in service again with Talos ${before.version}: ${messageOf(error)}\n` +
          `Where the image ${to.installer} cannot be pulled, look at the Image Factory, then run ${command} again`,
      );
    }
  }
  let now: MachineReading | undefined;
  const isBack = await eventually(around, timeouts.boot, async () => {
    now = await actions.machine(machine).catch(() => undefined);
    return now !== undefined && now.boot !== before.boot;
  });
  if (!isBack || now === undefined)
    throw new Problem(
      `${machine} is out of service: it ${now === undefined ? "does not answer" : "has not rebooted"} since it was upgraded to Talos ` +
        `${to.version}. Look at its console; once it answers, run ${command} again`,
    );
  if (isInstalled(to, now)) return;
  await whole(machine, around);
  await actions.putBack(machine);
  throw new Problem(
    `${machine} is in service, with Talos ${now.version} of the schematic ${now.schematic ?? "none"}: it was to boot ${to.installer}, ` +
      `and booted what it had before. Look at \`talosctl dmesg\` of it. Run ${command} again to try once more, or revert the stack file`,
  );
};

const configure = async ({ machine, restarts, what }: ConfigureStep, around: Surroundings): Promise<void> => {
  const { actions, live } = around;
  const before = await actions.machine(machine);
  const start = restarts === "apiServer" ? await actions.apiServerStart(machine) : undefined;
  if (restarts === "apiServer") await handVipsOver(machine, around);
  live(`${machine}: ${restarts === "nothing" ? what : "giving it its configuration"}`);
  await actions.configure(machine);
  if (restarts === "nothing") return;
  if (restarts === "machine") {
    live(`${machine}: waiting for its restart`);
    await rebooted(machine, before, around);
    return;
  }
  live(`${machine}: waiting for the restart of its API server`);
  await eventually(
    around,
    (around.timeouts ?? usual).restart,
    async () => (await actions.apiServerStart(machine)) !== start,
  );
};

/** Configures a machine whose pods go on, and waits until it serves the API again. */
const configureInService = async (step: ConfigureStep, around: Surroundings): Promise<void> => {
  await gate(step, around);
  await configure(step, around);
  await whole(step.machine, around);
};

/** Waits until a machine has booted anew, or does not seem to. */
const rebooted = (machine: string, before: MachineReading, around: Surroundings): Promise<boolean> =>
  eventually(around, (around.timeouts ?? usual).restart, async () => {
    const now = await around.actions.machine(machine).catch(() => undefined);
    return now !== undefined && now.boot !== before.boot;
  });

const upgradeKubernetes = async (step: KubernetesStep, around: Surroundings): Promise<void> => {
  const { to } = step;
  const { actions, live, timeouts = usual, command } = around;
  const names = Object.keys(around.machines);
  await gate(step, around);
  live(`Upgrading Kubernetes to ${to}`);
  await actions.upgradeKubernetes(to, names);
  let found = { lowest: "", highest: "" };
  const isDone = await eventually(around, timeouts.boot, async () => {
    found = await actions.kubernetes(names);
    return found.lowest === to && found.highest === to;
  });
  if (!isDone)
    throw new Problem(
      `Kubernetes runs from ${found.lowest} to ${found.highest} after the upgrade to ${to}: look at \`kubectl get nodes\`, then run ${command} again`,
    );
  await gate(step, around);
};
