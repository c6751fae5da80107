import { readFile } from "node:fs/promises";
import { resolve } from "node:path";

import { escrowHead, unreadFormat } from "../../components/secrets/escrow-head.ts";
import { escrowStatus } from "../../components/secrets/escrow-status.ts";
import { escrowPath } from "../../infra/escrow-file.ts";
import { codeOf, Problem } from "../../toolchain/problem.ts";
import { copySigned, destinationsOf, writeWhole, type Copied } from "../destinations/index.ts";
import type { Target } from "../../lib/engine/target.ts";
import { requireSigningKeys } from "../backup/signing-key.ts";
import { collect } from "./collect.ts";
import { differences } from "./differences.ts";
import { fingerprint, sealEscrow, type Escrow } from "../../lib/secrets/escrow.ts";
import type { Keys } from "../../lib/secrets/keys.ts";
import { recipientsFor } from "../../lib/secrets/recipients.ts";
import type { Sops } from "../../lib/secrets/sops.ts";
import { backendIn } from "../../lib/secrets/usual-backend.ts";
import { signaturePath, signEscrow } from "../../lib/secrets/escrow-signature.ts";
import { nameSigners } from "./signers.ts";
import { openWithEach, type Trial } from "./verify.ts";

/** The credentials of a command on an escrow. */
export interface Credentials {
  keys: Keys;
  sops: Sops;
  /** Shows the current progress. */
  live: (text: string) => void;
}

export interface Written {
  /** Path of the file, from the root of the project. */
  path: string;
  fingerprint: string;
  /** Whether the existing file already had the same content. */
  isUnchanged: boolean;
  /** Whether the stack file names the stack's signers only now. */
  namesSigners: boolean;
  trials: Trial[];
  copies: Copied[];
}

/** The files to commit after an escrow was written, from the root of the project; with the stack file if it names signers only now. */
export const filesOf = ({ path, namesSigners }: Pick<Written, "path" | "namesSigners">, stack: string): string[] => [
  ...(namesSigners ? [`Pulumi.${stack}.yaml`] : []),
  path,
  signaturePath(path),
];

/**
 * Writes a stack's escrow: collects it from the state, encrypts it, opens it with every key at hand and compares, and only then
 * replaces the old one; then signs and copies it. The first time, it names the stack's signers in the stack file.
 */
export const writeEscrow = async (target: Target, { keys: opening, sops, live }: Credentials): Promise<Written> => {
  const config = await target.config();
  const recipients = recipientsFor(target, config);
  const path = escrowPath(config, target.stack);
  live("Reading the stack's state");
  const keys = await requireSigningKeys(target);
  const namesSigners = await nameSigners(target, keys);
  const escrow = await collect(target);
  const sum = fingerprint(escrow);
  const before = await textAt(target, path);
  requireOverwritable(before, path);
  const backend = await target.backend();
  const isUnchanged =
    backendIn(before) === backend &&
    escrowStatus(before, { stack: target.stack, fingerprint: sum, recipients }).is === "current" &&
    (await holds(before ?? "", escrow, { keys: opening, sops }));
  live("Sealing the escrow");
  const sealed = isUnchanged && before !== undefined ? before : await sealEscrow(escrow, recipients, sops, backend);
  live("Opening it with every key at hand");
  const verified = await openWithEach(sealed, opening, sops, "the new escrow");
  const differ = verified.escrow ? differences(verified.escrow, escrow) : [];
  if (differ.length > 0) throw new Problem(`The new escrow does not hold what the state does: ${differ.join(", ")}`);
  if (!isUnchanged) await put(target, path, sealed);
  const signature = signEscrow(sealed, target.stack, keys.stack.privateKey);
  await put(target, signaturePath(path), signature);
  live("Copying it");
  const copies = await copySigned(destinationsOf(config, target.root), `${target.stack}.sops.yaml`, {
    content: Buffer.from(sealed),
    signature,
  });
  return { path, fingerprint: sum, isUnchanged, namesSigners, trials: verified.trials, copies };
};

/**
 * Refuses to overwrite an escrow of a newer Hearth, which may hold parts unknown to this one.
 *
 * @param before text of the existing file
 */
export const requireOverwritable = (before: string | undefined, path: string): void => {
  const read = before === undefined ? undefined : escrowHead(before);
  if (read === undefined || !("newer" in read)) return;
  const { problem, advice } = unreadFormat(read.newer);
  throw new Problem(`${path} ${problem}, so it is not written over: ${advice}`);
};

const put = async (target: Target, path: string, sealed: string): Promise<void> => {
  await writeWhole(resolve(target.root, path), sealed);
  if ((await textAt(target, path)) !== sealed) {
    throw new Problem(`${path} reads back as something else than what was written: look at its disk`);
  }
};

/** The text of the existing escrow. */
export const textAt = (target: Target, path: string): Promise<string | undefined> =>
  readFile(resolve(target.root, path), "utf8").catch((error: unknown) => {
    if (codeOf(error) === "ENOENT") return undefined;
    throw new Problem(`${path} cannot be read (${codeOf(error) ?? "?"}): make it readable`);
  });

/** Whether a file holds this escrow, as far as a key at hand can show. */
const holds = async (
  file: string,
  escrow: Escrow,
  { keys, sops }: Pick<Credentials, "keys" | "sops">,
): Promise<boolean> => {
  if (!("head" in escrowHead(file))) return false;
  const there = await openWithEach(file, keys, sops, "the escrow").catch((error: unknown) => {
    if (error instanceof Problem) return undefined;
    throw error;
  });
  return there?.escrow !== undefined && differences(there.escrow, escrow).length === 0;
};
