import semver from "semver";

import { changesSecureBoot, isOfMetal, secureBootProblem } from "../../components/talos/installer.ts";
import { releaseOf } from "../../components/talos/releases/index.ts";
import type { Role } from "../../components/talos/settings.ts";
import { closedProblem } from "../../components/talos/volume-keys.ts";
import { anotherHost } from "../../infra/platforms/platform.ts";
import { addressProblem, reachProblems } from "../../infra/reach.ts";
import { membershipSteps, type MembershipStep } from "./membership.ts";
import type {
  Changes,
  ConfigureStep,
  FinishStep,
  KubernetesStep,
  RenameStep,
  Running,
  RunningMachine,
  Step,
  TalosImage,
  TalosStep,
} from "./step.ts";
import { betweenProblem } from "./disks.ts";

/** The steps from what runs to what the stack file asks for, in their order. */
export interface RolloutPlan {
  steps: Step[];
  /** Why it is not carried out, where that is so. Then there are no steps. */
  refusals: string[];
  /** What a person should know, and what is left as it is. */
  notes: string[];
}

/** How long a step usually takes, in seconds: a machine boots in two minutes, and its pods take one to leave. */
const usual = { talos: 300, configure: 240, apiServer: 90, finish: 60, kubernetes: { controlPlane: 120, worker: 45 } };

/**
 * Returns the steps of a rollout.
 *
 * What an interrupted run left comes first. Talos and Kubernetes do not mix: all machines change the one, then the other. Control
 * planes get a version before workers, one by one, the leader of etcd last. Other changes try workers first. Machines join before any leaves.
 */
export const planRollout = (changes: Changes, running: Running): RolloutPlan => {
  const talos = talosSteps(changes, running);
  const kubernetes = kubernetesStep(changes, running);
  const isHalfWay = running.kubernetes.lowest !== running.kubernetes.highest;
  const order = orderOf(changes, running, { talos: talos.steps, kubernetes: kubernetes.steps, isHalfWay });
  const membership = membershipSteps(changes, running);
  const renames = renameSteps(changes, running);
  const refusals = [
    ...renameRefusals(changes, running, [
      ...[...talos.steps, ...kubernetes.steps, ...configureSteps(changes, running)],
      ...[...membership.first, ...membership.later],
    ]),
    ...movingRefusals(changes),
    ...closingRefusals(changes),
    ...firmwareRefusals(running),
    ...secureBootRefusals(changes, running),
    ...[...talos.refusals, ...kubernetes.refusals, ...order.refusals, ...membership.refusals],
  ];
  if (refusals.length > 0) return { steps: [], refusals, notes: [] };
  const [first, second] = order.isKubernetesFirst ? [kubernetes, talos] : [talos, kubernetes];
  const isBegun = ({ from }: RenameStep): boolean => running.marked.includes(from);
  const unfinished = unfinishedRenames(changes, running);
  const machines = [
    ...configureSteps(changes, running),
    ...renames.filter((step) => !isBegun(step)),
    ...membership.later,
  ];
  const steps: Step[] = order.isKubernetesFirst
    ? [...first.steps, ...second.steps, ...machines]
    : [...first.steps, ...machines, ...second.steps];
  const changed = [...membership.first, ...membership.later];
  return {
    steps: [
      ...membership.first,
      ...unfinished,
      ...renames.filter(isBegun),
      ...finishSteps(changes, running, steps, changed),
      ...steps,
    ],
    refusals,
    notes: [...talos.notes, ...learners(changes, running)],
  };
};

/** No step changes the address of a machine, nor an endpoint or a VIP whose place nothing takes yet. */
const movingRefusals = ({ reach, moved = {} }: Changes): string[] => [
  ...(reach ? reachProblems(reach.before, reach.after) : []),
  ...Object.entries(moved).map(([name, { from, to }]) => addressProblem(name, from, to)),
];

/** A machine that starts with keys that its disks do not have stays out of service. */
const closingRefusals = ({ closed = {} }: Changes): string[] =>
  Object.entries(closed).map(([name, why]) => closedProblem(name, why));

const firmwareRefusals = ({ machines }: Running): string[] =>
  Object.entries(machines).flatMap(([name, { isBetweenFirmware }]) =>
    isBetweenFirmware === true ? [betweenProblem(name)] : [],
  );

/** No upgrade changes SecureBoot. A virtual machine that is made anew boots its image, and one of metal what a person boots. */
const secureBootRefusals = (changes: Changes, { machines }: Running): string[] =>
  Object.entries(changes.machines).flatMap(([name, { image }]) => {
    const { installer } = image;
    const from = changes.renamed?.[name];
    const { recorded, volumes = [] } = machines[from ?? name] ?? {};
    if (!changesSecureBoot(recorded, installer)) return [];
    const refused = (advice: string): string[] => [secureBootProblem(name, installer, advice)];
    if (from !== undefined) return refused("deploy its new name alone first");
    const again = `remove ${name} from the stack file, deploy`;
    if (!isOfMetal(installer)) return isMadeAnew(changes, name) ? [] : refused(`${again}, and add it again`);
    if (volumes.length > 0)
      return refused(
        `it has volumes of its own (${volumes.join(", ")}), which a wipe would destroy or leave locked. Move their data away, ${again}, ` +
          "wipe all its disks, boot it anew (docs/guides/changing-a-cluster.md, SecureBoot), and add it again",
      );
    return isMadeAnew(changes, name) ? [] : refused("deploy it with npx hearth deploy");
  });

/** A run that ended while a control plane joined leaves it to that, and nothing of it is left to do. */
const learners = (changes: Changes, running: Running): string[] =>
  Object.entries(changes.machines)
    .filter(([name, { role }]) => role === "controlplane" && name in running.machines && !isMadeAnew(changes, name))
    .filter(([name]) => running.members?.some((member) => member.name === name && member.isVoting) === false)
    .map(([name]) => `${name} is no voting member of etcd yet: look at it with \`talosctl etcd members\``);

interface Part<S extends Step> {
  steps: S[];
  refusals: string[];
  notes: string[];
}

const talosSteps = (changes: Changes, running: Running): Part<TalosStep> => {
  const part: Part<TalosStep> = { steps: [], refusals: [], notes: [] };
  for (const machine of inOrder(changes, running)) {
    const { image, role } = changes.machines[machine] ?? {};
    const now = running.machines[machine];
    // A machine that does not run yet installs its image itself.
    if (!image || !role || !now || isInstalled(image, now) || isMadeAnew(changes, machine)) continue;
    if (now.recorded === image.installer && isNewer(now.version, image.version)) {
      part.notes.push(
        `${machine} runs Talos ${now.version}, which somebody installed by hand, and keeps it: write that version into the stack file`,
      );
      continue;
    }
    const refusal = minorRefusal(`${machine}: Talos`, now.version, image.version);
    if (refusal !== undefined) part.refusals.push(refusal);
    part.steps.push({
      kind: "talos",
      name: `talos/${machine}`,
      machine,
      to: image,
      what: talosWhat(now, image),
      out: outOf(machine, role, changes),
      seconds: usual.talos,
    });
  }
  return part;
};

const isMadeAnew = ({ created, replaced }: Changes, machine: string): boolean =>
  created.includes(machine) || replaced.includes(machine);

/** Whether a machine runs an image. One without a schematic was not made by an Image Factory, and is another. */
export const isInstalled = (image: TalosImage, { version, schematic }: RunningMachine): boolean =>
  version === image.version && schematic === image.schematic;

const talosWhat = (now: RunningMachine, image: TalosImage): string =>
  now.version === image.version
    ? "installs another image profile"
    : `upgrades Talos ${now.version} → ${image.version}${now.schematic === image.schematic ? "" : " with another image profile"}`;

const kubernetesStep = (changes: Changes, { kubernetes: { lowest, highest } }: Running): Part<KubernetesStep> => {
  const to = changes.kubernetes;
  if (lowest === to && highest === to) return { steps: [], refusals: [], notes: [] };
  const refusals = [
    ...(isNewer(highest, to)
      ? [
          lowest === highest
            ? `Kubernetes ${highest} runs, and cluster.kubernetes says ${to}: write ${highest} there, for a cluster does not go back`
            : `Kubernetes goes from ${lowest} to ${highest} already, and cluster.kubernetes says ${to}: write ${highest} there, and finish that first`,
        ]
      : []),
    ...(minorsBetween(lowest, to) > 1
      ? [
          `Kubernetes ${lowest} runs, and cluster.kubernetes says ${to}: go to ${nextMinor(lowest)} first, one minor at a time`,
        ]
      : []),
  ];
  const planes = planesOf(changes);
  const workers = Object.keys(changes.machines).length - planes;
  const step: KubernetesStep = {
    kind: "kubernetes",
    name: "kubernetes",
    to,
    what: `upgrades Kubernetes ${lowest} → ${to}`,
    out:
      planes === 1
        ? "the Kubernetes API, for as long as its only control plane restarts it"
        : "one API server, or one kubelet, at a time",
    seconds: planes * usual.kubernetes.controlPlane + workers * usual.kubernetes.worker,
  };
  return { steps: [step], refusals, notes: [] };
};

/** Which of Talos and Kubernetes is first: the one whose next release supports what the other one has now. */
const orderOf = (
  changes: Changes,
  running: Running,
  { talos, kubernetes, isHalfWay }: { talos: TalosStep[]; kubernetes: KubernetesStep[]; isHalfWay: boolean },
): { isKubernetesFirst: boolean; refusals: string[] } => {
  if (kubernetes.length === 0 || talos.length === 0) return { isKubernetesFirst: isHalfWay, refusals: [] };
  const { lowest } = running.kubernetes;
  if (!isHalfWay && talos.every(({ to }) => supports(to.version, lowest)))
    return { isKubernetesFirst: false, refusals: [] };
  const versions = talos.map(({ machine }) => running.machines[machine]?.version ?? "");
  if (versions.every((version) => supports(version, changes.kubernetes)))
    return { isKubernetesFirst: true, refusals: [] };
  return {
    isKubernetesFirst: false,
    refusals: [
      `Neither does the new Talos support Kubernetes ${lowest}, nor the present one ${changes.kubernetes}: change one of them to a release between first`,
    ],
  };
};

const supports = (talos: string, kubernetes: string): boolean => {
  const release = releaseOf(talos);
  const minor = semver.minor(kubernetes);
  return release === undefined || (release.kubernetes.first <= minor && minor <= release.kubernetes.last);
};

const configureSteps = (changes: Changes, running: Running): ConfigureStep[] =>
  [...inOrder(changes, running)]
    .sort((a, b) => Number(isPlane(changes, a)) - Number(isPlane(changes, b)))
    .flatMap((machine) => {
      const why = changes.restarts[machine] ?? [];
      const ofApiServer = changes.apiServers?.[machine] ?? [];
      const role = changes.machines[machine]?.role;
      if (why.length + ofApiServer.length === 0 || role === undefined) return [];
      const others = why.filter((each) => each !== anotherHost);
      const isDrained = why.length > 0;
      return [
        {
          kind: "configure" as const,
          name: `configure/${machine}`,
          machine,
          restarts: others.length > 0 ? "machine" : ofApiServer.length > 0 ? "apiServer" : "nothing",
          isDrained,
          what: [
            ...(others.length < why.length ? ["moves to another host"] : []),
            ...(others.length > 0 ? [`restarts for ${others.join(", ")}`] : []),
            ...(ofApiServer.length > 0 ? [`restarts its API server for ${ofApiServer.join(", ")}`] : []),
          ].join(", and "),
          out: isDrained ? outOf(machine, role, changes) : apiServerOf(machine, changes),
          seconds: isDrained ? usual.configure : usual.apiServer,
        },
      ];
    });

const apiServerOf = (machine: string, changes: Changes): string =>
  planesOf(changes) === 1 ? "the Kubernetes API" : `the API server of ${machine}`;

/** Machines that get another name: workers, then control planes, the leader of etcd last. Their nodes are others, and the former ones go. */
const renameSteps = ({ machines, renamed = {} }: Changes, { leader }: Running): RenameStep[] => {
  const rank = (machine: string): number =>
    machines[machine]?.role === "controlplane" ? 1 + Number(renamed[machine] === leader) : 0;
  return Object.entries(renamed)
    .sort(([a], [b]) => rank(a) - rank(b) || a.localeCompare(b))
    .map(([machine, from]) => renameStep(machine, from));
};

const renameStep = (machine: string, from: string): RenameStep => ({
  kind: "rename",
  name: `rename/${machine}`,
  ...{ machine, from },
  what: `drains ${from}, and gives it its new name`,
  out: from,
  seconds: usual.configure,
});

/** Control planes that an interrupted run gave another name, and that have not restarted since: etcd counts them under the former one. */
const unfinishedRenames = (changes: Changes, running: Running): RenameStep[] => {
  const members = (running.members ?? []).map(({ name }) => name);
  const formers = running.marked.filter((name) => members.includes(name) && !(name in running.machines));
  const named = Object.keys(running.machines).filter(
    (name) => isPlane(changes, name) && !members.includes(name) && !isMadeAnew(changes, name),
  );
  const [from, machine] = [formers[0], named[0]];
  if (from === undefined || machine === undefined || formers.length > 1 || named.length > 1) return [];
  return [{ ...renameStep(machine, from), role: "controlplane" }];
};

/**
 * Why machines do not get other names now. The engine does that in an update of the whole stack only: in one with targets it ends with a panic,
 * for resources that are no targets go on to depend on the former name (seen with pulumi 3.259.0).
 */
const renameRefusals = ({ machines, renamed = {} }: Changes, running: Running, others: readonly Step[]): string[] => {
  const [first, second] = Object.entries(renamed);
  if (first === undefined) return [];
  const [machine, from] = first;
  const [image, now] = [machines[machine]?.image, running.machines[from]];
  const isImaged = image !== undefined && now !== undefined && !isInstalled(image, now);
  return second !== undefined || others.length > 0 || isImaged
    ? [`${from} would get the name ${machine} together with other changes of machines: deploy its new name alone first`]
    : [];
};

/** A machine that was taken out of service is put back, unless a step is about it that begins at the same place. */
const finishSteps = (
  changes: Changes,
  { marked }: Running,
  steps: readonly Step[],
  changed: readonly MembershipStep[],
): FinishStep[] =>
  marked
    .filter((machine) => machine in changes.machines && !changed.some((step) => step.machine === machine))
    .filter((machine) => steps[0] === undefined || !("machine" in steps[0]) || steps[0].machine !== machine)
    .sort((a, b) => a.localeCompare(b))
    .map((machine) => ({
      kind: "finish",
      name: `finish/${machine}`,
      machine,
      what: "puts back what an interrupted rollout took out of service",
      out: machine,
      seconds: usual.finish,
    }));

/** Control planes by name, the leader of etcd last, then workers. */
const inOrder = (changes: Changes, { leader }: Running): string[] => {
  const rank = (machine: string): number => (isPlane(changes, machine) ? Number(machine === leader) : 2);
  return Object.keys(changes.machines).sort((a, b) => rank(a) - rank(b) || a.localeCompare(b));
};

const isPlane = ({ machines }: Changes, machine: string): boolean => machines[machine]?.role === "controlplane";

const outOf = (machine: string, role: Role, { machines }: Changes): string => {
  if (Object.keys(machines).length === 1) return `${machine}, and with it the whole cluster`;
  return role === "controlplane" && planesOf({ machines }) === 1
    ? `${machine}, and with it the Kubernetes API`
    : machine;
};

const planesOf = ({ machines }: Pick<Changes, "machines">): number =>
  Object.values(machines).filter(({ role }) => role === "controlplane").length;

const minorRefusal = (what: string, from: string, to: string): string | undefined => {
  const minors = minorsBetween(from, to);
  if (minors < 0) return `${what} would go back from ${from} to ${to}: stay at its minor`;
  return minors > 1
    ? `${what} would go from ${from} to ${to}: go to ${nextMinor(from)} first, one minor at a time`
    : undefined;
};

const minorsBetween = (from: string, to: string): number =>
  semver.major(from) === semver.major(to) ? semver.minor(to) - semver.minor(from) : Infinity;

const nextMinor = (version: string): string => `v${semver.major(version)}.${semver.minor(version) + 1}`;

const isNewer = (one: string, other: string): boolean => semver.gt(one, other);

/** How long the steps usually take together, in seconds. */
export const secondsOf = (steps: readonly Step[]): number => steps.reduce((sum, { seconds }) => sum + seconds, 0);
