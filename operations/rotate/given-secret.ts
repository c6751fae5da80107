import { nameOf } from "../../components/urn.ts";
import { ofType, type State } from "../../lib/engine/state.ts";
import { revealed } from "../../lib/engine/value.ts";
import { Problem } from "../../toolchain/problem.ts";
import { configuredSecrets } from "../escrow/collect.ts";
import type { Written } from "../escrow/write.ts";
import { begunExchange, withBegunExchange } from "./begun-exchange.ts";
import { requireKubeconfig, updateOnly } from "./drawn.ts";
import { requireEscrowable, writeRecordedEscrow } from "./recorded-escrow.ts";
import { deployCommand, type Surroundings } from "./rotation.ts";

/** A resource that carries a secret to where it is used, and the value that it has. */
export interface GivenCarrier {
  urn: string;
  value: string;
}

/** A secret that somebody else issues or agrees on, and that the stack file holds. */
export interface GivenSecret {
  /** Its rotation's name on the command line. */
  rotation: string;
  /** Its key under `hearth:`. */
  key: string;
  /** What messages call it. */
  name: string;
  /**
   * The resources of a state that carry it.
   *
   * @param configured secrets of the stack file in plain, by their key
   */
  carriers: (state: State, configured: Record<string, string>) => GivenCarrier[];
  /**
   * Returns a value in the form that carriers have, in which two are compared. Defaults to the value itself.
   *
   * @throws Problem that shows nothing of the value, if it has not the right form
   */
  normalize?: (value: string) => string;
  /**
   * Proves that an update of the carriers changes nothing else of them.
   *
   * @throws Problem if it would
   */
  requireAlone?: (surroundings: Pick<Surroundings, "target" | "signal">, state: State, urns: string[]) => Promise<void>;
  /**
   * Tries a new value, and changes nothing.
   *
   * @param old the value in use; undefined if no resource has it any more
   * @returns what could not be proven, in sentences
   * @throws Problem if it is refused, or may do less than the stack needs
   */
  attempt: (next: string, old: string | undefined) => Promise<string[]>;
}

/** How the exchange of a secret ended. */
export interface Exchanged {
  resumed: boolean;
  /** The value that was in use before; undefined if no resource has it any more. */
  old: string | undefined;
  /** The value that is in use now. */
  next: string;
  /** What could not be proven of it. */
  unproven: string[];
  escrow: Written;
}

/** How an exchange writes the escrow. */
export interface EscrowWriter {
  require: typeof requireEscrowable;
  write: typeof writeRecordedEscrow;
}

/**
 * Exchanges a secret for one that the person gives: tries it, encrypts it into the stack file, writes the escrow, and updates only the
 * resources that carry it.
 *
 * The state records that it was begun, until the update. So a carrier with another value than the stack file is a rotation to finish only
 * with that record. Without it the checkout is behind, and finishing would bring back the old value.
 */
export const exchangeSecret = async (
  surroundings: Surroundings,
  secret: GivenSecret,
  escrow: EscrowWriter = { require: requireEscrowable, write: writeRecordedEscrow },
): Promise<Exchanged> => {
  const { target, credentials, readValue } = surroundings;
  const { engine } = target;
  const { live } = credentials;
  const { rotation, key, name, normalize = String, attempt } = secret;
  live("Reading the stack's state");
  await escrow.require(target);
  const state = await engine.state();
  requireKubeconfig(state, target);
  const { secrets, configured } = await configuredValue(target, secret);
  const carriers = secret.carriers(state, secrets);
  const begun = begunExchange(state);
  if (begun !== undefined && begun !== rotation) throw otherBegun(begun, target);
  const isBegun = begun === rotation;
  const others = carriers.filter(({ value }) => value !== normalize(configured));
  if (others.length > 0 && !isBegun) throw differs(others, secret, target);
  const urns = carriers.map(({ urn }) => urn);
  await secret.requireAlone?.(surroundings, state, urns);
  const isHalf = others.length > 0;
  const next = isHalf ? configured : await readValue(`new ${name}`);
  const isStored = normalize(next) === normalize(configured);
  const resumed = isBegun && isStored && (isHalf || carriers.length === 0);
  if (isStored && !resumed)
    throw new Problem(`That is the ${name} that ${target.stack} has already, and all that uses it: give another one`);
  const old = resumed ? others[0]?.value : normalize(configured);
  live(`Trying the new ${name}`);
  const unproven = await attempt(next, old);
  if (!isStored) {
    await engine.changeState((before) => withBegunExchange(before, rotation));
    await engine.reconfigure(["config", "set", "--secret", `hearth:${key}`], next);
  }
  const written = await escrow.write(target, credentials);
  if (urns.length > 0) await give(surroundings, state, { secret, urns, secrets: { ...secrets, [key]: next } });
  if (begunExchange(await engine.state()) === rotation)
    await engine.changeState((before) => withBegunExchange(before, undefined));
  return { resumed, old, next, unproven, escrow: written };
};

type Target = Surroundings["target"];

const configuredValue = async (
  target: Target,
  { key, name }: GivenSecret,
): Promise<{ secrets: Record<string, string>; configured: string }> => {
  const secrets = await configuredSecrets(target);
  const configured = secrets[key];
  if (configured === undefined)
    throw new Problem(`${target.stack} has no ${name} to exchange: pulumi config set --secret hearth:${key}`);
  return { secrets, configured };
};

const differs = (others: readonly GivenCarrier[], { key, name }: GivenSecret, target: Target): Problem =>
  new Problem(
    `${names(others)} was deployed with another ${name} than hearth:${key} has, and no rotation was begun. If it was exchanged from ` +
      `another checkout, take the one that was deployed last: git pull. If you set it by hand, deploy it first: ${deployCommand(target)}`,
  );

const otherBegun = (begun: string, target: Target): Problem =>
  new Problem(
    `The rotation ${begun} of ${target.stack} was begun and not finished: npx hearth rotate ${target.stack} ${begun} finishes it, in the ` +
      `checkout where it was begun. So does ${deployCommand(target)} there, without a proof`,
  );

/** Updates the carriers, and proves that they have the new value. */
const give = async (
  { target, credentials, signal }: Surroundings,
  state: State,
  { secret, urns, secrets }: { secret: GivenSecret; urns: string[]; secrets: Record<string, string> },
): Promise<void> => {
  const { key, name, normalize = String } = secret;
  credentials.live("Updating what uses it");
  await updateOnly({ target, signal }, state, urns);
  const has = secret.carriers(await target.engine.state(), secrets);
  const old = has.filter(({ value }) => value !== normalize(secrets[key] ?? ""));
  if (old.length === 0) return;
  throw new Problem(
    `${names(old)} still has the old ${name}. The stack file has the new one: ${deployCommand(target)}`,
  );
};

const names = (carriers: readonly GivenCarrier[]): string => carriers.map(({ urn }) => nameOf(urn)).join(", ");

/** The providers of a type that sign in with one of their inputs. */
export const providersWith = (state: State, type: string, input: string): GivenCarrier[] =>
  ofType(state, type).flatMap(({ urn, inputs }) => {
    const value = ((revealed(inputs) ?? {}) as Record<string, unknown>)[input];
    return typeof value === "string" ? [{ urn, value }] : [];
  });
