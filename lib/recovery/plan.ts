import { Problem } from "../../toolchain/problem.ts";
import type { Loss } from "../engine/loss.ts";
import type { MachineState } from "../cluster/machine-state.ts";

/** The situation that a rebuild finds. */
export interface Situation {
  /** The state: with its resources, with operations that an engine began and never reported, or lost. */
  state: "whole" | "interrupted" | "lost";
  /** Machines by the name of their node. */
  machines: Record<string, FoundMachine>;
  /** What an interrupted update had not reached; undefined if there was none. */
  unmade?: { machines: readonly string[]; cluster: boolean } | undefined;
  hasEscrow: boolean;
  hasSnapshot: boolean;
  /** Names of the tunnels and records that Cloudflare has of those that the stack wants; undefined without Cloudflare. */
  edge?: { there: string[]; missing: string[] } | undefined;
}

/** What is known of a machine. */
export interface FoundMachine {
  role: "controlplane" | "worker";
  /** `silent` and `foreign` are unknown; `absent` is lost: Proxmox has no such machine, or a person said so. */
  state: MachineState | "absent";
  /** Whether it has etcd's data; undefined where it does not say. */
  hasEtcd: boolean | undefined;
  /** Whether its etcd knows a leader, which only a majority elects; undefined where it does not say. */
  hasLeader?: boolean | undefined;
  /** Whether Ceph keeps data in its `/var/lib/rook`, which is wiped with etcd; undefined where it does not say. */
  keepsCeph?: boolean | undefined;
  /** The sources that were asked about it, and their answers. */
  asked?: readonly string[];
}

/** The cases of a rebuild. */
export type Case = "machines" | "state" | "all" | "interrupted";

/** What a rebuild is going to do. */
export interface Plan {
  case: Case;
  loss: Loss;
  /** Control planes that run without a quorum: all that they keep below /var is wiped, so that etcd can be bootstrapped again. */
  wipes: string[];
  /** Those of them where data of Ceph is wiped too, or may be. */
  wipesCeph?: string[];
  /** etcd begins with a snapshot. */
  recovers: boolean;
  /** The snapshot has volumes that were on the machines, and all of them are lost. */
  losesVolumes: boolean;
}

/** What a person requires of the plan. */
export interface Desired {
  case?: Case;
  /** Control planes whose data of Ceph may be wiped. @default none */
  lostData?: readonly string[];
}

/**
 * Finds out what a rebuild has to do.
 *
 * @throws Problem where there is nothing to rebuild, or something is missing that it needs
 */
export const planFor = (situation: Situation, { case: wanted, lostData = [] }: Desired = {}): Plan => {
  // A snapshot shows that there was a cluster, whatever happened to its state.
  const unmade = situation.hasSnapshot ? undefined : unmadeBy(situation.unmade, situation.machines);
  const isMade = (name: string): boolean => !unmade?.cluster && !unmade?.machines.includes(name);
  const made = Object.entries(situation.machines).filter(([name]) => isMade(name));
  refuseUnknown(made);
  const lost = made.filter(([, { state }]) => state !== "member");
  const controlPlanes = Object.entries(situation.machines).filter(([, { role }]) => role === "controlplane");
  const withEtcd = controlPlanes.filter(([, { state, hasEtcd }]) => state === "member" && hasEtcd);
  // Only a majority elects a leader: etcd works, even if the configuration has more members.
  const hasLeader = withEtcd.some(([, machine]) => machine.hasLeader === true);
  const isClusterLost = !unmade?.cluster && withEtcd.length <= controlPlanes.length / 2 && !hasLeader;
  const found = caseOf(situation, lost.length, isClusterLost);
  const which = wanted ?? found;
  if (found === undefined || which === undefined) {
    throw new Problem("There is nothing to rebuild: the state is whole, and every machine is a member of the cluster");
  }
  if (situation.state === "lost" && !situation.hasEscrow) {
    throw new Problem("The state is lost, and only the escrow has its secrets: name its file with --from");
  }
  if (which === "state" && lost.length > 0) {
    throw new Problem(
      `A takeover needs every machine, and ${lost.map(([name]) => name).join(", ")} ${lost.length > 1 ? "are" : "is"} ` +
        "no member of the cluster: start it, or rebuild with --case all, which makes what is missing",
    );
  }
  if (which !== found && !(found === "state" && which === "all")) {
    throw new Problem(`What was found is no case ${which}, but ${found}: leave --case out`);
  }
  const loss = { machines: lost.map(([name]) => name), isClusterLost };
  if (isClusterLost || unmade?.cluster) refuseUnknownData(controlPlanes);
  if (isClusterLost) {
    refuseToWipe(withEtcd, situation);
    refuseToWipeCeph(withEtcd, lostData);
  }
  const recovers = isClusterLost && situation.hasSnapshot;
  const wiped = isClusterLost ? withEtcd : [];
  const wipesCeph = wiped.filter(([, { keepsCeph }]) => keepsCeph !== false).map(([name]) => name);
  return {
    case: which,
    loss,
    wipes: wiped.map(([name]) => name),
    ...(wipesCeph.length > 0 && { wipesCeph }),
    recovers,
    losesVolumes: recovers && lost.length === Object.keys(situation.machines).length,
  };
};

/** What an interrupted update had not reached, by what the machines say: a control plane with an etcd proves that there is a cluster. */
export const unmadeBy = (unmade: Situation["unmade"], machines: Situation["machines"]): Situation["unmade"] => {
  const hasCluster = Object.values(machines).some(({ hasEtcd, hasLeader }) => hasEtcd === true || hasLeader === true);
  return unmade && hasCluster ? { ...unmade, cluster: false } : unmade;
};

/** A silent machine is not lost: it may be off, be starting, or have no route to this computer. */
const refuseUnknown = (machines: readonly (readonly [string, FoundMachine])[]): void => {
  const silent = machines.filter(([, { state }]) => state === "silent");
  const foreign = machines.filter(([, { state }]) => state === "foreign");
  const unknown = [...silent, ...foreign];
  if (unknown.length === 0) return;
  const lines = unknown.map(([name, { state, asked = [] }]) => {
    const answer =
      state === "silent"
        ? "does not answer"
        : "answers with a certificate that is not of this cluster's authority, or not valid now";
    return `  ${name}: ${[answer, ...asked].join("; ")}`;
  });
  throw new Problem(
    [
      `Nobody knows whether ${unknown.length > 1 ? "these machines are" : "this machine is"} lost, so nothing is done:`,
      ...lines,
      ...(foreign.length > 0
        ? [
            "Set clocks right, and see whose machine has that address: give the node another one, or reset the machine where it may " +
              "be given away",
          ]
        : []),
      ...(silent.length > 0
        ? [
            "Start what is off, mend the network, or run this where they can be reached. Where you know that a machine is gone for " +
              `good, say so: ${silent.map(([name]) => `--lost ${name}`).join(" ")}`,
          ]
        : []),
    ].join("\n"),
  );
};

/**
 * A control plane whose etcd may have data may make a quorum with others, so nothing is wiped, and no second etcd begun beside it.
 * Where etcd begins on that very machine, Talos itself refuses if there is data. Source: talos, v1alpha1_server.go, Bootstrap; v1.13.
 */
const refuseUnknownData = (controlPlanes: readonly (readonly [string, FoundMachine])[]): void => {
  const [bootstrapNode] = controlPlanes;
  const unsure = controlPlanes.filter(([, { state, hasEtcd }]) => state === "member" && hasEtcd === undefined);
  const isWiping = controlPlanes.some(([, { state, hasEtcd }]) => state === "member" && hasEtcd === true);
  if (unsure.length === 0 || (!isWiping && unsure.every(([name]) => name === bootstrapNode?.[0]))) return;
  throw new Problem(
    `etcd on ${unsure.map(([name]) => name).join(", ")} may have data and does not run, so nothing is wiped or begun anew: look at ` +
      "talosctl service etcd there, wait until it runs, or reset that machine yourself where nothing of it is worth keeping; then run " +
      "this again",
  );
};

/** The remaining etcd may be all that is left of the cluster. */
const refuseToWipe = (withEtcd: readonly (readonly [string, FoundMachine])[], { hasSnapshot }: Situation): void => {
  const [first] = withEtcd;
  if (first === undefined) return;
  const unsure = withEtcd.filter(([, { hasLeader }]) => hasLeader === undefined).map(([name]) => name);
  if (unsure.length > 0) {
    throw new Problem(
      `etcd on ${unsure.join(", ")} has data, and does not say whether it has a leader, so it is not wiped: run this again, and ` +
        `look at talosctl etcd status there. Where nothing of it is worth keeping, reset that machine yourself`,
    );
  }
  if (!hasSnapshot) {
    throw new Problem(
      `etcd on ${withEtcd.map(([name]) => name).join(", ")} has lost its quorum, and what it holds would be wiped: give a snapshot ` +
        `with --etcd. From ${first[0]} itself: talosctl cp /var/lib/etcd/member/snap/db .`,
    );
  }
};

/** Ceph's monitors know where its data is: without any of them, no disk of Ceph can be read. */
const refuseToWipeCeph = (
  withEtcd: readonly (readonly [string, FoundMachine])[],
  lostData: readonly string[],
): void => {
  const kept = withEtcd.filter(([name, { keepsCeph }]) => keepsCeph !== false && !lostData.includes(name));
  if (kept.length === 0) return;
  const names = kept.map(([name]) => name);
  throw new Problem(
    [
      `Everything below /var would be wiped with etcd on ${names.join(", ")}, and it may hold the last monitor of Ceph:`,
      ...kept.map(
        ([name, { keepsCeph }]) =>
          `  ${name}: ${keepsCeph ? "has" : "does not say whether it has"} data in /var/lib/rook`,
      ),
      `Copy it to another computer first: talosctl --nodes ADDRESS copy /var/lib/rook rook-${names[0] ?? ""}. Then, or where nothing of it is ` +
        `worth keeping, say so: ${names.map((name) => `--lost-data ${name}`).join(" ")}`,
    ].join("\n"),
  );
};

const caseOf = ({ state }: Situation, lost: number, isClusterLost: boolean): Case | undefined => {
  if (state === "lost") return lost === 0 && !isClusterLost ? "state" : "all";
  if (lost > 0 || isClusterLost) return "machines";
  return state === "interrupted" ? "interrupted" : undefined;
};

/** What a wipe of etcd takes with it: its partition holds all of /var. */
export const wipedWith = ({ wipesCeph = [] }: Pick<Plan, "wipesCeph">): string =>
  "everything below /var: images, logs, host paths" +
  (wipesCeph.length === 0 ? "" : `, and Ceph's monitors in /var/lib/rook on ${wipesCeph.join(", ")}`);

/** A plan in words, a line each. */
export const describePlan = (plan: Plan, situation: Situation): string[] => {
  const { machines, isClusterLost } = plan.loss;
  const list = (names: readonly string[]): string => names.join(", ");
  const members = Object.keys(situation.machines).filter(
    (name) => !machines.includes(name) && situation.machines[name]?.state === "member",
  );
  return [
    ...{
      machines: ["Machines are lost, and the state is there: they are made anew with the identity that the state has."],
      state: ["The state is lost, and everything runs: a new state takes over what exists. Nothing is touched."],
      all: [
        machines.length > 0
          ? "State and machines are lost: a new state begins with the escrow, takes over what is left and makes the rest."
          : "The state is lost: a new state begins with the escrow, takes over what is left, and applies what is configured.",
      ],
      interrupted: ["An update was interrupted: what it had begun is looked for, and the rest is made."],
    }[plan.case],
    ...(machines.length > 0 ? [`made anew       ${list(machines)}`] : []),
    ...(members.length > 0 ? [`kept            ${list(members)}`] : []),
    ...(plan.wipes.length > 0 ? [`etcd wiped      ${list(plan.wipes)}: it has lost its quorum`] : []),
    ...(plan.wipes.length > 0 ? [`wiped with it   ${wipedWith(plan)}`] : []),
    ...(situation.edge && situation.edge.there.length > 0 ? [`taken over      ${list(situation.edge.there)}`] : []),
    ...(situation.edge && situation.edge.missing.length > 0 ? [`made anew       ${list(situation.edge.missing)}`] : []),
    ...(isClusterLost && plan.case !== "state"
      ? [
          plan.recovers
            ? "etcd            recovered from the snapshot"
            : "etcd            empty; Flux fills it from Git",
        ]
      : []),
    ...(plan.losesVolumes ? ["volumes         those on the machines' disks are made anew, from their backups"] : []),
  ];
};
