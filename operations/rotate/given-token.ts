import { ofType } from "../../lib/engine/state.ts";
import { revealed } from "../../lib/engine/value.ts";
import { Problem } from "../../toolchain/problem.ts";
import { configuredSecrets } from "../escrow/collect.ts";
import type { Written } from "../escrow/write.ts";
import { requireKubeconfig, updateOnly } from "./drawn.ts";
import { requireEscrowable, writeRecordedEscrow } from "./recorded-escrow.ts";
import type { Surroundings } from "./rotation.ts";

/** A token that somebody else issues, and that the stack file holds. */
export interface GivenToken {
  /** Its key under `hearth:`. */
  key: string;
  /** What messages call it. */
  name: string;
  /** The engine's type of the provider that uses it. */
  provider: string;
  /**
   * Tries a new token, and changes nothing.
   *
   * @param old the one in use
   * @throws Problem if it is refused, or may do less than the stack needs
   */
  attempt: (token: string, old: string) => Promise<void>;
}

/** How the exchange of a token ended. */
export interface Exchanged {
  resumed: boolean;
  /** The token that was in use before, and the one that is now. */
  old: string;
  next: string;
  escrow: Written;
}

/**
 * Exchanges a token for one that the person gives: tries it, encrypts it into the stack file, writes the escrow, and updates the provider
 * that uses it.
 *
 * Whether a run before began it shows in the state: the provider has another token than the stack file.
 */
export const exchangeToken = async (
  { target, credentials, signal, readValue }: Surroundings,
  { key, name, provider, attempt }: GivenToken,
): Promise<Exchanged> => {
  const { engine, stack } = target;
  const { live } = credentials;
  live("Reading the stack's state");
  await requireEscrowable(target);
  const state = await engine.state();
  requireKubeconfig(state, target);
  const configured = (await configuredSecrets(target))[key];
  if (configured === undefined)
    throw new Problem(`${stack} has no ${name} to exchange: pulumi config set --secret hearth:${key}`);
  const providers = ofType(state, provider);
  const used = providers.map((each) => tokenOf(each.inputs));
  const resumed = used.some((token) => token !== configured);
  const old = used.find((token) => token !== configured) ?? configured;
  const next = resumed ? configured : await readValue(`new ${name}`);
  if (next === old) throw new Problem(`That is the ${name} that ${stack} has already: make another one`);
  live(`Trying the new ${name}`);
  await attempt(next, old);
  if (!resumed) await engine.reconfigure(["config", "set", "--secret", `hearth:${key}`], next);
  const escrow = await writeRecordedEscrow(target, credentials);
  if (providers.length > 0) {
    live("Updating the provider that uses it");
    await updateOnly(
      { target, signal },
      state,
      providers.map(({ urn }) => urn),
    );
    const has = ofType(await engine.state(), provider).map((each) => tokenOf(each.inputs));
    if (has.some((token) => token !== next)) throw new Problem("The provider still has the old token: run this again");
  }
  return { resumed, old, next, escrow };
};

const tokenOf = (inputs: Record<string, unknown> | undefined): string =>
  String((revealed(inputs) as { apiToken?: unknown } | undefined)?.apiToken);
