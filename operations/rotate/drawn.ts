import { randomInt } from "node:crypto";

import { resourceTypes } from "../../components/resource-types.ts";
import { deriveSeed } from "../../components/secrets/derive.ts";
import { nameOf } from "../../components/urn.ts";
import { ofType, resourcesOf, type State, type StateResource } from "../../lib/engine/state.ts";
import { policyPack, type Target } from "../../lib/engine/target.ts";
import { update } from "../../lib/engine/pulumi-stack.ts";
import { revealed, sealed } from "../../lib/engine/value.ts";
import { Problem } from "../../toolchain/problem.ts";
import type { Written } from "../escrow/write.ts";
import { requireEscrowable, writeOpenedEscrow } from "./recorded-escrow.ts";
import { deployCommand, type Surroundings } from "./rotation.ts";

/** A resource that carries a secret to where it is used. */
export interface Carrier {
  urn: string;
  /** Whether it carries what the state's password gives. */
  isCurrent: boolean;
}

/** A secret that derives from passwords in the state. */
export interface DrawnSecret {
  /** What messages call it. */
  name: string;
  /** The passwords that it derives from. */
  passwords: (state: State) => StateResource[];
  /** The resources that carry it. */
  carriers: (state: State) => Carrier[];
}

/** How the rotation of a drawn secret ended. */
export interface Redrawn {
  resumed: boolean;
  /** The state before, with what was in use. */
  before: State;
  escrow: Written;
}

/**
 * Gives a stack another secret of those that derive from passwords: draws a password into the state, writes the escrow, and updates only
 * the resources that carry the secret.
 *
 * Whether a run before began it shows in the state: a carrier has another secret than the password gives.
 *
 * @throws Problem if the state has no such secret, or nothing uses it
 * @param ready called when the new secret is in the state and the escrow, and before anything uses it
 */
export const redraw = async (
  { target, credentials, signal }: Surroundings,
  secret: DrawnSecret,
  ready: (state: State) => Promise<void> = () => Promise.resolve(),
): Promise<Redrawn> => {
  const { engine, stack } = target;
  const { live } = credentials;
  live("Reading the stack's state");
  const before = await engine.state();
  requireUsed(before, secret, stack);
  requireKubeconfig(before, target);
  await requireEscrowable(target);
  const resumed = secret.carriers(before).some(({ isCurrent }) => !isCurrent);
  if (!resumed) {
    live(`Drawing another ${secret.name}`);
    const drawn = new Map(secret.passwords(before).map(({ urn }) => [urn, drawPassword()]));
    await engine.changeState((state) => withPasswords(state, drawn));
  }
  const escrow = await writeOpenedEscrow(target, credentials);
  const state = await engine.state();
  await ready(state);
  live("Updating what uses it");
  const urns = secret.carriers(state).map(({ urn }) => urn);
  await updateOnly({ target, signal }, state, urns);
  requireCarried(secret.carriers(await engine.state()));
  return { resumed, before, escrow };
};

/** @throws Problem if a state has no such secret, or nothing uses it */
export const requireUsed = (state: State, { name, passwords, carriers }: DrawnSecret, stack: string): void => {
  if (passwords(state).length === 0)
    throw new Problem(`The state of ${stack} has no ${name}: bring the stack up first`);
  if (carriers(state).length === 0)
    throw new Problem(`Nothing of ${stack} uses its ${name}, so there is nothing to rotate`);
};

/**
 * @throws Problem if the state waits for another kubeconfig, as after the rotation of Kubernetes' authority: only an update of everything
 * asks for one
 */
export const requireKubeconfig = (state: State, target: Pick<Target, "stack" | "isLab">): void => {
  if (ofType(state, resourceTypes.kubeconfig).length > 0) return;
  throw new Problem(
    `The state of ${target.stack} has no kubeconfig, which what uses the secret needs: ${deployCommand(target)} asks for one`,
  );
};

/** Updates only some resources, and what records the escrow in the state. */
export const updateOnly = async (
  { target: { engine, root }, signal }: Pick<Surroundings, "target" | "signal">,
  state: State,
  urns: readonly string[],
): Promise<void> => {
  const recorded = [resourceTypes.stack, resourceTypes.escrow].flatMap((type) => ofType(state, type));
  const targets = [...urns, ...recorded.map(({ urn }) => urn)].flatMap((urn) => ["--target", urn]);
  await engine.run([...update, ...targets], { policyPacks: [policyPack(root)], signal });
};

const requireCarried = (carriers: readonly Carrier[]): void => {
  const old = carriers.filter(({ isCurrent }) => !isCurrent);
  if (old.length > 0) throw new Problem(`${names(old)} still has the old secret: run this again`);
};

const names = (carriers: readonly Carrier[]): string => carriers.map(({ urn }) => nameOf(urn)).join(", ");

const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

/** Draws a password as the random plugin does for the program: 64 letters and digits. */
export const drawPassword = (): string =>
  Array.from({ length: 64 }, () => letters[randomInt(letters.length)] ?? "").join("");

/** Returns a state in which passwords, by their URN, are others. */
export const withPasswords = (state: State, drawn: ReadonlyMap<string, string>): State => {
  const resources = (state.deployment.resources ?? []).map((each) => {
    const password = drawn.get(each.urn);
    if (password === undefined) return each;
    // The hash of the old password would outlive it. Nothing reads it.
    return { ...each, outputs: { ...each.outputs, result: sealed(password), bcryptHash: sealed("") } };
  });
  return { ...state, deployment: { ...state.deployment, resources } };
};

/** The passwords of a name. */
export const passwordsNamed = (state: State, name: string): StateResource[] =>
  ofType(state, resourceTypes.password).filter(({ urn }) => nameOf(urn) === name);

/** The seed that a password gives. */
export const seedOf = (password: StateResource): string =>
  deriveSeed(String(revealed(password.outputs?.result)), nameOf(password.urn));

/** The Secrets that the stack creates in the cluster, with their data in plain. */
export const clusterSecretsIn = (state: State): { urn: string; data: Record<string, string> }[] =>
  resourcesOf(state)
    .filter(({ type }) => type === resourceTypes.secret)
    .map(({ urn, inputs }) => {
      const { data, stringData } = (revealed(inputs) ?? {}) as Record<string, Record<string, string> | undefined>;
      const decoded = Object.entries(data ?? {}).map(([key, value]) => [key, Buffer.from(value, "base64").toString()]);
      return { urn, data: { ...(Object.fromEntries(decoded) as Record<string, string>), ...stringData } };
    });
