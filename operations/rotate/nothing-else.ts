import { isDeepStrictEqual } from "node:util";

import { nameOf } from "../../components/urn.ts";
import { resourcesOf, type State } from "../../lib/engine/state.ts";
import { plain, revealed } from "../../lib/engine/value.ts";
import { Problem } from "../../toolchain/problem.ts";
import { Observer, type Observed } from "../preview/observer.ts";
import { deployCommand, type Surroundings } from "./rotation.ts";

type Inputs = Record<string, unknown>;

interface Compared {
  urns: readonly string[];
  /** Removes from inputs what may change. */
  without: (inputs: Inputs) => Inputs;
}

/**
 * Proves that an update of some resources would change nothing of them but one secret. What else is pending in the checkout may take
 * machines out of service, which only a deployment does in order.
 *
 * @throws Problem that names the resources that would change
 */
export const requireNothingElse = async (
  { target, signal }: Pick<Surroundings, "target" | "signal">,
  state: State,
  compared: Compared,
): Promise<void> => {
  if (compared.urns.length === 0) return;
  await using observer = await Observer.start();
  const targets = compared.urns.flatMap((urn) => ["--target", urn]);
  await target.engine.run(["preview", ...targets], { policyPacks: [observer.pack], signal });
  const changed = otherwiseChanged(state, observer.observed.resources, compared);
  if (changed.length === 0) return;
  throw new Problem(
    `The checkout changes more of ${changed.join(", ")} than the secret. Deploy that first: ${deployCommand(target)}`,
  );
};

/** The names of the resources that the program declares otherwise than the state has them, apart from the secret. */
export const otherwiseChanged = (
  state: State,
  declared: Observed["resources"],
  { urns, without }: Compared,
): string[] => {
  const recorded = new Map(resourcesOf(state).map(({ urn, inputs }) => [urn, revealed(inputs)]));
  return urns
    .filter((urn) => {
      const planned = declared.get(urn);
      const before = recorded.get(urn);
      if (planned === undefined || before === undefined) return true;
      return !isDeepStrictEqual(given(without(plain(planned.inputs) as Inputs)), given(without(before as Inputs)));
    })
    .map(nameOf);
};

/** Inputs without what the engine notes beside them, and without what is given as nothing. */
const given = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(given);
  if (typeof value !== "object" || value === null) return value;
  const named = Object.entries(value).filter(
    ([name, inner]) => !name.startsWith("__") && inner !== undefined && inner !== null,
  );
  return Object.fromEntries(named.map(([name, inner]) => [name, given(inner)]));
};
