import type { ClientConfiguration } from "@pulumi/talos";

import type { BundleCertificate } from "../../components/talos/secrets-bundle.ts";
import type { HearthConfig } from "../../infra/config/index.ts";
import { Kubernetes } from "../../lib/cluster/kubernetes.ts";
import { Talosctl } from "../../lib/cluster/talosctl.ts";
import { kubeconfigOf, type State } from "../../lib/engine/state.ts";
import { requireDeployedMachines } from "../../lib/recovery/checkout.ts";
import { unfinishedRotation, withUnfinished } from "../../lib/engine/unfinished.ts";
import { Toolchain } from "../../toolchain/toolchain.ts";
import { recordedMachines } from "../deploy/running.ts";
import { rolloutLease } from "../deploy/under-lease.ts";
import { writeEscrow, type Written } from "../escrow/write.ts";
import { apartFromRollouts } from "./apart.ts";
import { authorityToGive, nextStep, type Authorities, type Change } from "./authority-plan.ts";
import { MachineAuthority, type AuthorityPlace, type GivenMachine } from "./machine-authority.ts";
import { clusterSecretsOf, type ClusterSecrets } from "./machine-secrets.ts";
import { drawAuthority, PendingAuthority, type AuthorityName } from "./pending-authority.ts";
import { requireEscrowable, requireOpened, writeRecordedEscrow } from "./recorded-escrow.ts";
import type { Surroundings } from "./rotation.ts";

/** A cluster whose authority changes. */
export interface Cluster extends Surroundings {
  config: HearthConfig;
  /** Path of talosctl. */
  talosctl: string;
  /** As it is before anything is changed. */
  state: State;
  /** What the state has. */
  secrets: ClusterSecrets;
}

/** One change of an authority. */
export interface Giving extends Cluster {
  /** The certificate of the one before. */
  from: string;
  next: BundleCertificate;
}

/** What is particular to one authority while machines are given another. */
export interface Way {
  /** Waits until nothing is under way that an earlier step, or an earlier run, restarted. */
  settled?: () => Promise<void>;
  /** Begins to watch what a step restarts on a machine. Returns what waits until it has. */
  watch?: (machine: string) => Promise<() => Promise<void>>;
  /** Done when all machines have the new one alone. */
  finish?: () => Promise<void>;
  /** Takes the new authority into a state. */
  record: (state: State) => State;
}

/** An authority of Talos's secrets that machines are given by their configuration. */
export interface GivenAuthority {
  /** Its name in Talos's secrets bundle. */
  name: AuthorityName;
  place: AuthorityPlace;
  /** Whether only control planes have it. */
  isOfControlPlanes: boolean;
  /** Certificates to try at machines, in this order; defaults to the state's. */
  clients?: (cluster: Cluster, change: Partial<Pick<Giving, "from" | "next">>) => Promise<ClientConfiguration[]>;
  way: (giving: Giving) => Promise<Way> | Way;
}

/**
 * Gives a cluster's machines another authority, one machine at a time.
 *
 * Machines are looked at before anything is changed. Then the new one is kept in the stack file and the escrow, and given to all machines
 * beside the old one; then the state has it; and only then do machines drop the old one. So a run that was killed is finished by the next, from
 * another computer too, and no machine ever accepts only what nobody has kept.
 *
 * @param rotation its name on the command line
 */
export const giveAuthority = async (
  surroundings: Surroundings,
  rotation: string,
  authority: GivenAuthority,
): Promise<{ resumed: boolean; escrow: Written }> => {
  const { target, credentials } = surroundings;
  const { engine, stack } = target;
  await requireEscrowable(target);
  const [secrets, config] = [await clusterSecretsOf(target), await target.config()];
  const state = await engine.state();
  requireDeployedMachines(state, config.nodes, stack);
  const { talosctl = "talosctl" } = await new Toolchain({ root: target.root }).ensure(["talosctl"]);
  const cluster: Cluster = { ...surroundings, config, state, talosctl, secrets };
  const pending = new PendingAuthority(target, authority.name);
  const begun = await pending.get();
  const inState = secrets.bundle.certs[authority.name];
  const from = begun?.crt === inState.crt ? begun.from : inState.crt;
  credentials.live("Looking at the machines");
  const machines = await machinesOf(authority, cluster, { from, ...(begun && { next: begun }) });
  const seen = await readAll(machines);
  const given = authorityToGive([...seen.values()], { from, begun });
  const next = given ?? (await drawAuthority(talosctl, secrets.contract, authority.name));
  const change = { from, to: next.crt, accepts: authority.place.accepted !== undefined };
  // Refuses what is on no way from one to the other.
  nextStep(seen, change);
  const giving: Giving = { ...cluster, from, next };
  const reached = await machinesOf(authority, cluster, { from, next });
  const way = await authority.way(giving);
  if (next.crt !== inState.crt) {
    const begin = async (): Promise<void> => {
      await pending.keep({ ...next, from });
      requireOpened(await writeEscrow(target, credentials));
      await engine.changeState((now) => withUnfinished(now, rotation));
    };
    const kubeconfig = kubeconfigOf(state);
    // Once the state says so, no rollout begins.
    if (unfinishedRotation(state) === rotation || kubeconfig === undefined) await begin();
    else await apartFromRollouts(rolloutLease(new Kubernetes(kubeconfig)), surroundings, begin);
    await stepByStep(reached, change, next, { ...way, until: "all sign by it" }, credentials.live);
    credentials.live("Taking it into the state");
    await engine.changeState(way.record);
    await writeRecordedEscrow(target, credentials);
  }
  await stepByStep(reached, change, next, way, credentials.live);
  await way.finish?.();
  await engine.changeState((now) => withUnfinished(now, undefined));
  await pending.forget();
  return { resumed: given !== undefined, escrow: await writeRecordedEscrow(target, credentials) };
};

const machinesOf = async (
  { place, isOfControlPlanes, clients }: GivenAuthority,
  cluster: Cluster,
  change: Partial<Pick<Giving, "from" | "next">>,
): Promise<Map<string, MachineAuthority>> => {
  const { config, state, talosctl, secrets } = cluster;
  const known = (await clients?.(cluster, change)) ?? [secrets.client];
  const talos = known.map((client) => new Talosctl(talosctl, client));
  const machines = machinesInOrder(config.nodes, state).filter((each) => each.isControlPlane || !isOfControlPlanes);
  return new Map(machines.map((machine) => [machine.name, new MachineAuthority(machine, place, talos)]));
};

/**
 * A cluster's machines, control planes first: they sign for workers. Whether one has a VIP is in the state, for the stack file may have gained
 * one since, or lost it.
 */
export const machinesInOrder = (nodes: HearthConfig["nodes"], state: State): GivenMachine[] => {
  const recorded = Object.values(recordedMachines(state));
  const all = Object.entries(nodes).map(([name, { address, role }]) => ({
    ...{ name, address, isControlPlane: role === "controlplane" },
    hasVip: recorded.some((machine) => machine.address === address && machine.hasVip),
  }));
  return [...all.filter((each) => each.isControlPlane), ...all.filter((each) => !each.isControlPlane)];
};

type Machines = ReadonlyMap<string, Pick<MachineAuthority, "read" | "write">>;

const readAll = async (machines: Machines): Promise<Map<string, Authorities>> =>
  new Map(await Promise.all([...machines].map(async ([name, machine]) => [name, await machine.read()] as const)));

interface StepOptions extends Pick<Way, "settled" | "watch"> {
  /** Where to stop; defaults to the end, when none accepts the old one. */
  until?: "all sign by it";
}

/** Gives machines an authority by the steps of {@link nextStep}, one machine at a time. */
export const stepByStep = async (
  machines: Machines,
  change: Change,
  next: BundleCertificate,
  { settled, watch, until }: StepOptions,
  live: (text: string) => void,
): Promise<void> => {
  const seen = await readAll(machines);
  for (;;) {
    await settled?.();
    const step = nextStep(seen, change);
    if (!step || (until && seen.get(step.machine)?.issuing === change.to)) return;
    live(`Giving ${step.machine} its authorities`);
    const restarted = await watch?.(step.machine);
    await machines.get(step.machine)?.write(step.to, next);
    await restarted?.();
    seen.set(step.machine, step.to);
  }
};
