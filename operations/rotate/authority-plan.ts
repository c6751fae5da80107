import type { BundleCertificate } from "../../components/talos/secrets-bundle.ts";
import { Problem } from "../../toolchain/problem.ts";

/** The authorities of a machine's configuration, by their certificates. */
export interface Authorities {
  /** The one that signs. */
  issuing: string;
  /** Its key, which only control planes have. */
  key?: string;
  /** Others that are trusted. */
  accepted: readonly string[];
}

/** A change of one machine's authorities. */
export interface Step {
  machine: string;
  to: Authorities;
}

/** The change of an authority. */
export interface Change {
  from: string;
  to: string;
  /** Whether machines can accept an authority beside the one that signs. Without that each goes from one to the other at once. */
  accepts: boolean;
}

/**
 * Returns the authority that machines are being given already: the one that a run began, or the one that control planes sign by, as
 * after `talosctl rotate-ca` or a run on another computer. Undefined if a new one is to be drawn.
 *
 * @param machines what each has
 * @throws Problem if there is more than one
 */
export const authorityToGive = (
  machines: readonly Authorities[],
  { from, begun }: { from: string; begun: BundleCertificate | undefined },
): BundleCertificate | undefined => {
  const others = new Map(
    machines
      .filter(({ issuing, key }) => issuing !== from && issuing !== begun?.crt && key !== undefined && key !== "")
      .map(({ issuing, key = "" }) => [issuing, { crt: issuing, key }]),
  );
  const [other, ...more] = others.values();
  if (other === undefined) return begun;
  const hasBegun = begun && machines.some(({ issuing, accepted }) => [issuing, ...accepted].includes(begun.crt));
  if (more.length === 0 && !hasBegun) return other;
  throw new Problem(
    "Control planes sign by authorities of different rotations, and nothing was changed: give them one by one the configuration of the " +
      "state, or finish the rotation on the computer where it was begun",
  );
};

/**
 * Returns the next step of giving machines another authority; undefined if all have only the new one.
 *
 * Every machine first accepts the new authority; then each lets it sign, and still accepts the old one; then each drops the old one. So
 * at any time each machine trusts what every other one signs. The steps follow from what the machines have alone, so whoever begins
 * in the middle goes on there.
 *
 * @param machines control planes first: they sign for workers
 * @throws Problem if a machine has a third authority
 */
export const nextStep = (
  machines: ReadonlyMap<string, Authorities>,
  { from, to, accepts }: Change,
): Step | undefined => {
  const all = [...machines];
  const stranger = all.find(([, { issuing }]) => issuing !== from && issuing !== to);
  if (stranger)
    throw new Problem(
      `${stranger[0]} has another authority than the state and this rotation: nothing was changed. ` +
        "Finish whatever gave it that one first, such as talosctl rotate-ca",
    );
  const without = (accepted: readonly string[], ...gone: string[]) => accepted.filter((each) => !gone.includes(each));
  const before = accepts && all.find(([, { issuing, accepted }]) => issuing === from && !accepted.includes(to));
  if (before) {
    const [machine, { accepted }] = before;
    return { machine, to: { issuing: from, accepted: [...accepted, to] } };
  }
  const signing = all.find(([, { issuing }]) => issuing === from);
  if (signing) {
    const [machine, { accepted }] = signing;
    return { machine, to: { issuing: to, accepted: accepts ? [...without(accepted, from, to), from] : [] } };
  }
  const last = all.find(([, { accepted }]) => accepted.includes(from) || accepted.includes(to));
  if (!last) return undefined;
  const [machine, { accepted }] = last;
  return { machine, to: { issuing: to, accepted: without(accepted, from, to) } };
};
