import { Problem } from "../../toolchain/problem.ts";
import type { Loss } from "../engine/loss.ts";
import type { MachineState } from "../cluster/machine-state.ts";

/** What a rebuild finds when it looks around. */
export interface Situation {
  /** The state: with its resources, with operations that an engine began and never reported, or lost. */
  state: "whole" | "interrupted" | "lost";
  /** Machines by the name of their node. */
  machines: Record<string, { role: "controlplane" | "worker"; state: MachineState; hasEtcd: boolean }>;
  /** What an interrupted update had not come to; undefined where there is none. */
  unmade?: { machines: readonly string[]; cluster: boolean } | undefined;
  hasEscrow: boolean;
  hasSnapshot: boolean;
  /** Names of the tunnels and records that Cloudflare has of those that the stack wants; undefined without Cloudflare. */
  edge?: { there: string[]; missing: string[] } | undefined;
}

/** The cases that a rebuild tells apart. */
export type Case = "machines" | "state" | "all" | "interrupted";

/** What a rebuild is going to do. */
export interface Plan {
  case: Case;
  loss: Loss;
  /** Control planes that run without a quorum: what they have of etcd is wiped, so that it can be founded anew. */
  wipes: string[];
  /** etcd begins with a snapshot. */
  recovers: boolean;
  /** The snapshot tells of volumes that were on the machines, and all of those are lost. */
  losesVolumes: boolean;
}

/** What a person forces a rebuild to be. */
export interface Wish {
  case?: Case;
}

/**
 * Finds out what a rebuild has to do.
 *
 * @throws Problem where there is nothing to rebuild, or something is missing that it needs
 */
export const planFor = (situation: Situation, { case: wanted }: Wish = {}): Plan => {
  // Whoever gives a snapshot says that there was a cluster, whatever became of its state.
  const unmade = situation.hasSnapshot ? undefined : situation.unmade;
  const isMade = (name: string): boolean => !unmade?.cluster && !unmade?.machines.includes(name);
  const lost = Object.entries(situation.machines).filter(([name, { state }]) => state !== "member" && isMade(name));
  const controlPlanes = Object.entries(situation.machines).filter(([, { role }]) => role === "controlplane");
  const withEtcd = controlPlanes.filter(([, { state, hasEtcd }]) => state === "member" && hasEtcd);
  const isClusterLost = !unmade?.cluster && withEtcd.length <= controlPlanes.length / 2;
  const found = caseOf(situation, lost.length, isClusterLost);
  const which = wanted ?? found;
  if (which === undefined) {
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
  const loss = { machines: lost.map(([name]) => name), isClusterLost };
  const recovers = isClusterLost && situation.hasSnapshot;
  return {
    case: which,
    loss,
    wipes: isClusterLost ? withEtcd.map(([name]) => name) : [],
    recovers,
    losesVolumes: recovers && lost.length === Object.keys(situation.machines).length,
  };
};

const caseOf = ({ state }: Situation, lost: number, isClusterLost: boolean): Case | undefined => {
  if (state === "lost") return lost === 0 && !isClusterLost ? "state" : "all";
  if (lost > 0 || isClusterLost) return "machines";
  return state === "interrupted" ? "interrupted" : undefined;
};

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
        "State and machines are lost: a new state begins with the escrow, takes over what is left and makes the rest.",
      ],
      interrupted: ["An update was interrupted: what it had begun is looked for, and the rest is made."],
    }[plan.case],
    ...(machines.length > 0 ? [`made anew       ${list(machines)}`] : []),
    ...(members.length > 0 ? [`kept            ${list(members)}`] : []),
    ...(plan.wipes.length > 0 ? [`etcd wiped      ${list(plan.wipes)}: it has lost its quorum`] : []),
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
