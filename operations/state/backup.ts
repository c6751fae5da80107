import { stackOf } from "../../components/urn.ts";
import { stackOutputs, type State } from "../../lib/engine/state.ts";
import { Backups, type Chosen } from "../backup/backups.ts";
import { unseal } from "../backup/sealed.ts";
import { acceptedSigningKey } from "../backup/signing-key.ts";
import type { Copied } from "../destinations/index.ts";
import type { Target } from "../../lib/engine/target.ts";
import { Problem } from "../../toolchain/problem.ts";

/**
 * Backs the stack's state up. Its secrets stay encrypted by the engine, and age encrypts the whole.
 *
 * To restore it by hand, run `age -d FILE | pulumi stack import`.
 *
 * @param key that signs it, in PEM; undefined leaves it unsigned
 */
export const backUpState = async (
  target: Target,
  key: string | undefined,
): Promise<{ name: string; resources: number; copies: Copied[] }> => {
  const text = await target.engine.sealedState();
  const state = JSON.parse(text) as State;
  const { ageRecipient } = stackOutputs(state);
  const backups = await Backups.of(target, "state");
  const own = typeof ageRecipient === "string" ? [ageRecipient] : [];
  const added = await backups.add(Buffer.from(text), { own, key });
  return { ...added, resources: state.deployment.resources?.length ?? 0 };
};

/**
 * Reads a state from a backup, and refuses that of another stack.
 *
 * @param stack name of the expected stack
 */
export const parseState = (content: Uint8Array, stack: string, name: string): { text: string; resources: number } => {
  const text = Buffer.from(content).toString();
  const state = parsed(text);
  if (!state?.deployment?.resources) throw new Problem(`${name} holds no state: take another backup`);
  const other = state.deployment.resources.map(({ urn }) => stackOf(urn)).find((each) => each !== stack);
  if (other !== undefined)
    throw new Problem(`${name} is the state of stack ${other}, not of ${stack}: name one of ${stack}`);
  return { text, resources: state.deployment.resources.length };
};

const parsed = (text: string): Partial<State> | undefined => {
  try {
    return JSON.parse(text) as Partial<State>;
  } catch {
    return undefined;
  }
};

/** Restores the state from a backup. It first backs up the present one, unsigned if that has no key that readers would accept. */
export const restoreState = async (
  target: Target,
  { name, sealed }: Chosen,
  identities: readonly string[],
): Promise<{ resources: number; saved: string | undefined }> => {
  const { text, resources } = parseState(await unseal(sealed, identities, name), target.stack, name);
  const size = await target.engine.size();
  if (size === undefined) {
    throw new Problem(`There is no stack ${target.stack}: make it with \`pulumi stack init ${target.stack}\``);
  }
  const before = await target.engine.sealedState();
  const saved = size === 0 ? undefined : await saveCurrent(target);
  await target.engine.importOver(before, text);
  return { resources, saved };
};

/** Backs the present state up. */
const saveCurrent = async (target: Target): Promise<string> => {
  const { name, copies } = await backUpState(target, await acceptedSigningKey(target));
  const [failed] = copies.filter(({ problem }) => problem !== undefined);
  if (failed && copies.every(({ problem }) => problem !== undefined)) throw new Problem(failed.problem ?? "");
  return name;
};
