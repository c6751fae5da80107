import { resourceTypes } from "../../components/resource-types.ts";
import { deriveSeed } from "../../components/secrets/derive.ts";
import { otherSigners, signersOf, signingKeys, signingSeed, type Signers } from "../../components/secrets/signing.ts";
import type { SshKeyPair } from "../../components/secrets/ssh.ts";
import { nameOf } from "../../components/urn.ts";
import { ofType, type State } from "../../lib/engine/state.ts";
import type { Target } from "../../lib/engine/target.ts";
import { revealed } from "../../lib/engine/value.ts";
import { Problem } from "../../toolchain/problem.ts";

/** The signing keys that a state holds; undefined if its last update was by a release that signed nothing. */
export const signingKeysIn = (state: State): Signers<SshKeyPair> | undefined => {
  const seed = ofType(state, resourceTypes.password).find(({ urn }) => nameOf(urn) === signingSeed);
  const password = revealed(seed?.outputs?.result);
  return typeof password === "string" ? signingKeys(deriveSeed(password, signingSeed)) : undefined;
};

/**
 * The signing keys of a stack.
 *
 * @throws Problem if the state has none, or if they are not those that the stack file names
 */
export const requireSigningKeys = async (target: Target): Promise<Signers<SshKeyPair>> => {
  const keys = signingKeysIn(await target.engine.state());
  if (keys === undefined) {
    throw new Problem(
      `The state of ${target.stack} has no signing key yet: run npx hearth deploy ${target.stack} first`,
    );
  }
  const mismatch = mismatchOf((await target.config()).escrow?.signers, keys);
  if (mismatch !== undefined) throw new Problem(mismatch);
  return keys;
};

/**
 * The key that signs a backup, in PEM. A state of a release that signed nothing has none, and is backed up all the same.
 *
 * @throws Problem if the state's keys are not those that the stack file names
 */
export const keyForBackup = async (target: Target, complain: (text: string) => void): Promise<string | undefined> => {
  if (signingKeysIn(await target.engine.state()) !== undefined) {
    return (await requireSigningKeys(target)).stack.privateKey;
  }
  complain(
    `The state of ${target.stack} has no signing key before the next npx hearth deploy, so this backup is unsigned: to take it later, ` +
      "name it with --unsigned",
  );
  return undefined;
};

/** The key that signs a stack's backups, in PEM; undefined if there is none that readers would accept. */
export const acceptedSigningKey = async (target: Target): Promise<string | undefined> => {
  const keys = signingKeysIn(await target.engine.state());
  const named = (await target.config()).escrow?.signers;
  return keys && mismatchOf(named, keys) === undefined ? keys.stack.privateKey : undefined;
};

const mismatchOf = (named: Signers | undefined, keys: Signers<SshKeyPair>): string | undefined =>
  named && otherSigners(named, signersOf(keys));
