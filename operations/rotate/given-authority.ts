import type { ClientConfiguration } from "@pulumi/talos";

import type { BundleCertificate } from "../../components/talos/secrets-bundle.ts";
import type { HearthConfig } from "../../infra/config/index.ts";
import { Talosctl } from "../../lib/cluster/talosctl.ts";
import type { State } from "../../lib/engine/state.ts";
import { Toolchain } from "../../toolchain/toolchain.ts";
import { writeEscrow, type Written } from "../escrow/write.ts";
import { nextStep, type Change } from "./authority-plan.ts";
import { MachineAuthority, type AuthorityPlace } from "./machine-authority.ts";
import { clusterSecretsOf, type ClusterSecrets } from "./machine-secrets.ts";
import { PendingAuthority, type AuthorityName } from "./pending-authority.ts";
import { requireEscrowable, writeRecordedEscrow } from "./recorded-escrow.ts";
import type { Surroundings } from "./rotation.ts";

/** One change of an authority. */
export interface Giving extends Surroundings {
  config: HearthConfig;
  /** Path of talosctl. */
  talosctl: string;
  /** What the state has. */
  secrets: ClusterSecrets;
  next: BundleCertificate;
}

/** How machines are talked to while their authority changes. */
export interface Way {
  /** Certificates to try, in this order. */
  clients: readonly ClientConfiguration[];
  /** Waits until nothing is under way that an earlier step, or an earlier run, restarted. */
  settled?: () => Promise<void>;
  /** Begins to watch what a step restarts on a machine. Returns what waits until it has. */
  watch?: (machine: string) => Promise<() => Promise<void>>;
  /** Done when all machines have the new one alone, and before the state does. */
  finish?: () => Promise<void>;
  /** Takes the new authority into a state. */
  record: (state: State) => State;
}

/** An authority of Talos's secrets that machines are given by their configuration. */
export interface GivenAuthority {
  name: AuthorityName;
  place: AuthorityPlace;
  /** Whether only control planes have it. */
  isOfControlPlanes: boolean;
  way: (giving: Giving) => Promise<Way> | Way;
}

/**
 * Gives a cluster's machines another authority, one after the other, then the state; and writes the escrow before and after.
 *
 * The new one is kept in the stack file and the escrow before any machine depends on it, so a run that was killed is finished by the next.
 * What machines already got by `talosctl rotate-ca` is taken for the new one.
 */
export const giveAuthority = async (
  surroundings: Surroundings,
  authority: GivenAuthority,
): Promise<{ resumed: boolean; escrow: Written }> => {
  const { target, credentials } = surroundings;
  await requireEscrowable(target);
  const [secrets, config] = [await clusterSecretsOf(target), await target.config()];
  const { talosctl = "talosctl" } = await new Toolchain({ root: target.root }).ensure(["talosctl"]);
  const pending = new PendingAuthority(target, authority.name);
  const begun = (await pending.get()) ?? (await givenByHand(authority, { config, talosctl, secrets }));
  const next = begun ?? (await pending.draw(talosctl, secrets.contract));
  if (next.crt !== secrets.bundle.certs[authority.name].crt) {
    await pending.keep(next);
    await writeEscrow(target, credentials);
    await giveMachines(authority, { ...surroundings, config, talosctl, secrets, next });
  }
  await writeRecordedEscrow(target, credentials);
  await pending.forget();
  return { resumed: begun !== undefined, escrow: await writeRecordedEscrow(target, credentials) };
};

const machinesOf = (
  { place, isOfControlPlanes }: GivenAuthority,
  { nodes }: HearthConfig,
  clients: readonly Talosctl[],
): Map<string, MachineAuthority> => {
  const ofRole = (wanted: string) => Object.entries(nodes).filter(([, { role }]) => role === wanted);
  // Control planes first: they sign for workers.
  const inOrder = [...ofRole("controlplane"), ...(isOfControlPlanes ? [] : ofRole("worker"))];
  return new Map(
    inOrder.map(([name, { address, role }]) => [
      name,
      new MachineAuthority(address, role === "controlplane", place, clients),
    ]),
  );
};

/** The authority that all control planes have, if it is another than the state's; with the key, which only they know. */
const givenByHand = async (
  authority: GivenAuthority,
  { config, talosctl, secrets }: Pick<Giving, "config" | "talosctl" | "secrets">,
): Promise<BundleCertificate | undefined> => {
  const planes = machinesOf({ ...authority, isOfControlPlanes: true }, config, [
    new Talosctl(talosctl, secrets.client),
  ]);
  const [first, ...others] = await Promise.all([...planes.values()].map((machine) => machine.issuing()));
  if (first === undefined || first.crt === secrets.bundle.certs[authority.name].crt) return undefined;
  return others.every(({ crt }) => crt === first.crt) ? first : undefined;
};

const giveMachines = async (authority: GivenAuthority, giving: Giving): Promise<void> => {
  const { config, talosctl, secrets, next, target, credentials } = giving;
  const { live } = credentials;
  const way = await authority.way(giving);
  const machines = machinesOf(
    authority,
    config,
    way.clients.map((client) => new Talosctl(talosctl, client)),
  );
  const change = {
    from: secrets.bundle.certs[authority.name].crt,
    to: next.crt,
    accepts: authority.place.accepted !== undefined,
  };
  await stepByStep(machines, change, next, way, live);
  await way.finish?.();
  live("Taking it into the state");
  await target.engine.changeState(way.record);
};

/** Gives machines an authority by the steps of {@link nextStep}, one machine at a time. */
export const stepByStep = async (
  machines: ReadonlyMap<string, Pick<MachineAuthority, "read" | "write">>,
  change: Change,
  next: BundleCertificate,
  { settled, watch }: Pick<Way, "settled" | "watch">,
  live: (text: string) => void,
): Promise<void> => {
  live("Looking at the machines");
  const seen = new Map(
    await Promise.all([...machines].map(async ([name, machine]) => [name, await machine.read()] as const)),
  );
  for (;;) {
    await settled?.();
    const step = nextStep(seen, change);
    if (!step) return;
    live(`Giving ${step.machine} its authorities`);
    const restarted = await watch?.(step.machine);
    await machines.get(step.machine)?.write(step.to, next);
    await restarted?.();
    seen.set(step.machine, step.to);
  }
};
