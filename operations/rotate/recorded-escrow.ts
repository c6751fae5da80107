import { resourceTypes } from "../../components/resource-types.ts";
import { ofType, type State } from "../../lib/engine/state.ts";
import type { Target } from "../../lib/engine/target.ts";
import { escrowPath } from "../../infra/escrow-file.ts";
import { Problem } from "../../toolchain/problem.ts";
import { recipientsFor } from "../../lib/secrets/recipients.ts";
import { requireSigningKeys } from "../backup/signing-key.ts";
import { requireNameable } from "../escrow/signers.ts";
import { requireOverwritable, textAt, writeEscrow, type Credentials, type Written } from "../escrow/write.ts";

/**
 * Proves that the escrow can be written, before a rotation changes anything: a secret that is in use and in no escrow is lost with
 * the state.
 *
 * @throws Problem if nobody could open it, nothing would sign it, or a newer Hearth wrote the one that is there
 */
export const requireEscrowable = async (target: Target): Promise<void> => {
  const config = await target.config();
  recipientsFor(target, config);
  await requireNameable(target, await requireSigningKeys(target));
  const path = escrowPath(config, target.stack);
  requireOverwritable(await textAt(target, path), path);
};

/**
 * Writes the escrow, and records in the state which one it is.
 *
 * An update records that too, but only at its end. Until then the policy `fresh-escrow` would hold the new escrow against the old record,
 * and would refuse the very update that gives the cluster the new secret.
 */
export const writeRecordedEscrow = async (target: Target, credentials: Credentials): Promise<Written> => {
  const written = await writeEscrow(target, credentials);
  const recorded = ofType(await target.engine.state(), resourceTypes.escrow)[0]?.outputs?.fingerprint;
  if (recorded !== written.fingerprint)
    await target.engine.changeState((state) => withRecordedEscrow(state, written.fingerprint));
  return written;
};

/**
 * As {@link writeRecordedEscrow}, for the escrow that holds a secret which nothing uses yet.
 *
 * @throws Problem if no key at hand opens it: then nobody has shown that the secret can be had from it
 */
export const writeOpenedEscrow = async (target: Target, credentials: Credentials): Promise<Written> => {
  const written = await writeRecordedEscrow(target, credentials);
  requireOpened(written);
  return written;
};

export const requireOpened = ({ path, trials }: Pick<Written, "path" | "trials">): void => {
  if (trials.some(({ outcome }) => outcome === "opened")) return;
  throw new Problem(
    `No key at hand opens ${path}, which has the new secret; nothing uses that yet. Give --identity, and run this again`,
  );
};

/** Returns a state that records the fingerprint of another escrow. A state that records none stays as it is. */
export const withRecordedEscrow = (state: State, fingerprint: string): State => {
  const resources = (state.deployment.resources ?? []).map((each) => {
    if (each.type === resourceTypes.escrow && each.outputs)
      return { ...each, outputs: { ...each.outputs, fingerprint } };
    if (each.type === resourceTypes.stack && each.outputs?.escrow !== undefined)
      return { ...each, outputs: { ...each.outputs, escrow: fingerprint } };
    return each;
  });
  return { ...state, deployment: { ...state.deployment, resources } };
};
