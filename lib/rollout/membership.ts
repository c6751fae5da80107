import { changesSecureBoot, isOfMetal, isSecureBoot } from "../../components/talos/installer.ts";
import { nouns, roleProblem } from "../../components/talos/role.ts";
import type { Role } from "../../components/talos/settings.ts";
import type { Changes, JoinStep, RemoveStep, ReplaceStep, Running, TalosImage } from "./step.ts";

/** A step that changes which machines the cluster has. */
export type MembershipStep = JoinStep | ReplaceStep | RemoveStep;

/** Steps that change which machines a cluster has. */
export interface Membership {
  /** What an interrupted run began, and the removal of what is lost: until then the cluster is not whole, and no other step may begin. */
  first: MembershipStep[];
  /** All others. Machines join before any leaves, so that etcd never has fewer members than before and after. */
  later: MembershipStep[];
  refusals: string[];
}

/** How long a step usually takes, in seconds. */
const usual = { join: 300, replace: 420, remove: 150, person: 1200 };

/** Returns the steps by which machines join, are replaced and leave, one machine each. */
export const membershipSteps = (changes: Changes, running: Running): Membership => {
  const refusals = refusalsOf(changes, running);
  if (refusals.length > 0) return { first: [], later: [], refusals };
  const steps: MembershipStep[] = [
    ...inOrder(joins(changes), running, "planes first"),
    ...byRole(inOrder(replacements(changes, running), running, "workers first")),
    ...inOrder(removals(changes, running), running, "workers first"),
  ];
  const isFirst = (step: MembershipStep): boolean => (step.kind !== "join" && step.isLost) || isBegun(step, running);
  return { first: steps.filter(isFirst), later: steps.filter((step) => !isFirst(step)), refusals: [] };
};

const joins = ({ created, machines }: Changes): JoinStep[] =>
  created.flatMap((machine) => {
    const { role, image } = machines[machine] ?? {};
    if (role === undefined || image === undefined) return [];
    return [
      {
        kind: "join",
        name: `join/${machine}`,
        ...{ machine, role, ...bootOf(image) },
        what: `creates it, and waits until it is ${role === "controlplane" ? "a voting member of etcd" : "Ready"}`,
        out: "nothing",
        seconds: usual.join,
      },
    ];
  });

const replacements = (changes: Changes, running: Running): ReplaceStep[] =>
  changes.replaced.flatMap((machine) => {
    const { role, image } = changes.machines[machine] ?? {};
    if (role === undefined || image === undefined) return [];
    const isLost = !(machine in running.machines);
    const former = formerRole(machine, role, changes, running);
    const isChanged = changesSecureBoot(running.machines[machine]?.recorded, image.installer);
    // A machine of metal that an interrupted run wiped cannot be reset again.
    const boot = isLost || isChanged ? bootOf(image) : {};
    const word = boot.secureBoot === true ? "on" : "off";
    return [
      {
        kind: "replace",
        name: `replace/${machine}`,
        ...{ machine, role, former, isLost, ...boot },
        what:
          isChanged && boot.secureBoot !== undefined
            ? `drains it, wipes it, with what is on its disks, waits for a person to turn SecureBoot ${word} and boot its ISO, and sets it up again under its name`
            : `drains it, destroys it or wipes it, with what is on its disks, and sets it up again ${former === role ? "under its name" : `as a ${nouns[role]}`}`,
        out: machine,
        seconds: isChanged ? usual.person : usual.replace,
      },
    ];
  });

/** The role of a machine before it is replaced. What etcd counts is a control plane, whatever an interrupted run has recorded. */
const formerRole = (machine: string, role: Role, { former }: Changes, { machines, members = [] }: Running): Role =>
  members.some(({ name }) => name === machine)
    ? "controlplane"
    : (machines[machine]?.role ?? former?.[machine] ?? role);

/** Machines that become control planes come before all others that are replaced, and those that cease to be control planes after them. */
const byRole = (steps: readonly ReplaceStep[]): ReplaceStep[] => {
  const place = ({ role, former }: ReplaceStep): number => {
    if (role === former) return 1;
    return role === "controlplane" ? 0 : 2;
  };
  return [...steps].sort((a, b) => place(a) - place(b));
};

/** How a machine has to boot that a person boots: one of metal. */
const bootOf = ({ installer }: TalosImage): { secureBoot?: boolean } =>
  isOfMetal(installer) ? { secureBoot: isSecureBoot(installer) } : {};

const removals = ({ removed }: Changes, { machines }: Running): RemoveStep[] =>
  Object.entries(removed).map(([machine, role]) => {
    const isLost = !(machine in machines);
    return {
      kind: "remove",
      name: `remove/${machine}`,
      ...{ machine, role, isLost },
      what: isLost
        ? "does not answer, and is forgotten: it must not come back unless it was wiped"
        : "drains it, and removes it from the cluster",
      out: isLost ? "nothing more" : machine,
      seconds: usual.remove,
    };
  });

/** The role that a machine has at the start of its step. */
const leavingRole = (step: MembershipStep): Role => (step.kind === "replace" ? step.former : step.role);

/** In the order of their names, the leader of etcd last. */
const inOrder = <Each extends MembershipStep>(
  steps: readonly Each[],
  { leader }: Running,
  which: "planes first" | "workers first",
): Each[] => {
  const rank = (step: Each): number => {
    const { machine } = step;
    if (leavingRole(step) === "worker") return which === "workers first" ? 0 : 3;
    return machine === leader ? 2 : 1;
  };
  return [...steps].sort((a, b) => rank(a) - rank(b) || a.machine.localeCompare(b.machine));
};

/** Whether an interrupted run began a step: the machine is out of service, or etcd counts it although it joins, or no more although it leaves. */
const isBegun = (step: MembershipStep, { marked, members }: Running): boolean => {
  const { kind, machine } = step;
  if (marked.includes(machine)) return true;
  if (leavingRole(step) !== "controlplane" || members === undefined) return false;
  return members.some(({ name }) => name === machine) === (kind === "join");
};

const refusalsOf = (changes: Changes, running: Running): string[] => {
  const { machines, replaced, isBootstrapped } = changes;
  const isPlane = (name: string): boolean => machines[name]?.role === "controlplane";
  // All that join do so before the first one is replaced.
  const leaving = Object.keys(changes.removed).filter((name) => changes.removed[name] === "controlplane");
  const before = (name: string, role: Role): Role => formerRole(name, role, changes, running);
  // Those that become workers are the last to be replaced.
  const demoted = Object.entries(machines).flatMap(([name, { role }]) =>
    role === "worker" && replaced.includes(name) && before(name, role) === "controlplane" ? [name] : [],
  );
  const planes = [
    ...[...Object.keys(machines).filter(isPlane), ...demoted],
    ...leaving.filter((name) => name in running.machines),
  ].length;
  return [
    ...(isBootstrapped && Object.keys(running.machines).length > 0
      ? [
          "The update would bootstrap etcd again, beside the one that runs, for the state has no bootstrap: take back a state that has it with " +
            "`pulumi stack history` and `pulumi stack import`, or rebuild",
        ]
      : []),
    ...replaced
      .filter((name) => isPlane(name) && before(name, "controlplane") === "controlplane" && planes < 3)
      .map(
        (name) =>
          `${name} would be replaced, and etcd has ${planes} control ${planes === 1 ? "plane" : "planes"}: without it none decides. ` +
          "Go to three control planes first, or rebuild it from a snapshot of etcd",
      ),
    ...Object.entries(machines).flatMap(([name, { role }]) => {
      const from = changes.renamed?.[name];
      const now = running.machines[from ?? name]?.role;
      if (now === undefined || now === role || replaced.includes(name)) return [];
      const advice =
        from === undefined
          ? "remove it first, and add it again in another deployment"
          : "deploy its new name alone first";
      return [roleProblem(name, now, role, advice)];
    }),
  ];
};
