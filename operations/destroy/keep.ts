import { escrowStatus } from "../../components/secrets/escrow-status.ts";
import { escrowPath } from "../../infra/escrow-file.ts";
import { Problem } from "../../toolchain/problem.ts";
import type { Target } from "../../lib/engine/target.ts";
import { Backups } from "../backup/backups.ts";
import { unseal } from "../backup/sealed.ts";
import { requireSigningKeys } from "../backup/signing-key.ts";
import type { Copied } from "../destinations/index.ts";
import { fingerprint } from "../../lib/secrets/escrow.ts";
import { recipientsFor } from "../../lib/secrets/recipients.ts";
import { escrowDoubt, signaturePath } from "../../lib/secrets/escrow-signature.ts";
import { collect } from "../escrow/collect.ts";
import { textAt, writeEscrow, type Credentials } from "../escrow/write.ts";
import { openWithEach, type Trial } from "../escrow/verify.ts";
import { takeSnapshot, withSnapshot } from "../etcd/snapshot.ts";
import { backUpState } from "../state/backup.ts";

/** What is saved of a stack before it is destroyed: the escrow's path, and names of backups. */
export interface Kept {
  escrow: string;
  state?: string;
  /** Undefined if the cluster is already gone. */
  snapshot?: string;
}

/**
 * Writes a last escrow, backup of the state and snapshot of etcd, and opens each with the keys at hand.
 *
 * @throws Problem if one of them cannot be written or opened
 */
export const keepAll = async (
  target: Target,
  credentials: Credentials,
  { hasCluster }: { hasCluster: boolean },
): Promise<Kept> => {
  const { live, keys } = credentials;
  const escrow = await writeEscrow(target, credentials);
  requireOpened(escrow.trials, escrow.path);
  requireCopied(escrow.copies);
  const opened = await openWithEach((await textAt(target, escrow.path)) ?? "", keys, credentials.sops, escrow.path);
  const identities = [...keys.identities, ...(opened.escrow ? [opened.escrow.ageIdentity] : [])];
  live("Keeping the state");
  const { stack } = await requireSigningKeys(target);
  const state = await backUpState(target, stack.privateKey);
  requireCopied(state.copies);
  const states = await Backups.of(target, "state");
  await unseal((await states.choose(state.name)).sealed, identities, state.name);
  if (!hasCluster) return { escrow: escrow.path, state: state.name };
  const snapshot = await takeSnapshot(target, live);
  requireCopied(snapshot.copies);
  live("Opening the snapshot");
  const snapshots = await Backups.of(target, "etcd");
  await withSnapshot(target, await snapshots.choose(snapshot.name), identities, () => Promise.resolve());
  return { escrow: escrow.path, state: state.name, snapshot: snapshot.name };
};

/**
 * Whether the escrow holds exactly what the state does. Then an earlier destroy deleted nothing that a rebuild needs, and may be long ago.
 */
export const holdsWholeState = async (target: Target): Promise<boolean> => {
  const config = await target.config();
  const escrow = await collect(target).catch((error: unknown) => {
    if (error instanceof Problem) return undefined;
    throw error;
  });
  if (escrow === undefined) return false;
  const expected = { stack: target.stack, fingerprint: fingerprint(escrow), recipients: recipientsFor(target, config) };
  return escrowStatus(await textAt(target, escrowPath(config, target.stack)), expected).is === "current";
};

/**
 * Opens the escrow that an earlier, unfinished destroy wrote. As long as the stack file names no signers, it is trusted as that file is.
 *
 * @throws Problem if it is missing or no key at hand opens it
 */
export const requireKept = async (target: Target, { keys, sops }: Credentials): Promise<Kept> => {
  const config = await target.config();
  const path = escrowPath(config, target.stack);
  const file = await textAt(target, path);
  if (file === undefined)
    throw new Problem(`${path} is missing: bring it back from Git's history, then run this again`);
  const signature = await textAt(target, signaturePath(path));
  const signers = config.escrow?.signers;
  const doubt = signers && escrowDoubt(file, signature, { stack: target.stack, signers });
  if (doubt) throw new Problem(`${path} ${doubt.problem}: bring it back from Git's history, then run this again`);
  requireOpened((await openWithEach(file, keys, sops, path)).trials, path);
  return { escrow: path };
};

const requireOpened = (trials: readonly Trial[], path: string): void => {
  if (trials.some(({ outcome }) => outcome === "opened")) return;
  throw new Problem(`No key at hand opens ${path}, so nothing is destroyed: name a file with one by --identity FILE`);
};

const requireCopied = (copies: readonly Copied[]): void => {
  const failed = copies.filter(({ problem }) => problem !== undefined);
  if (failed.length === 0) return;
  const lines = failed.map(({ destination, problem }) => `  ${destination}: ${problem ?? ""}`);
  throw new Problem([`Nothing is destroyed, for a copy could not be written:`, ...lines].join("\n"));
};
