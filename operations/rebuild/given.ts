import { readFile, stat, writeFile } from "node:fs/promises";
import { basename, join, relative, resolve } from "node:path";

import { escrowPath } from "../../infra/escrow-file.ts";
import { codeOf, Problem } from "../../toolchain/problem.ts";
import { Backups } from "../backup/backups.ts";
import { backupProof, extension, signatureEnd, timeOf } from "../../lib/secrets/proof.ts";
import { unseal } from "../backup/sealed.ts";
import { headOf, readEscrow, requireStack, type Escrow } from "../../lib/secrets/escrow.ts";
import { withPrivateFolder } from "../../lib/secrets/private-folder.ts";
import { writeWhole } from "../../lib/terminal/whole-file.ts";
import { digestOf } from "../../components/secrets/sshsig.ts";
import { escrowDoubt, signaturePath } from "../../lib/secrets/escrow-signature.ts";
import type { Credentials } from "../escrow/write.ts";
import { withSnapshot } from "../etcd/snapshot.ts";
import type { Target } from "../../lib/engine/target.ts";
import { requireSnapshot } from "./snapshot.ts";
import { mended } from "./stack-file.ts";

/**
 * Opens the escrow of a stack, after it has proven who wrote it.
 *
 * As long as the stack file names no signers, the configured path is trusted as the stack file is: both come from the repository.
 *
 * @param file its path; defaults to the configuration's
 * @param unsigned names of files that a person takes although they are unsigned
 */
export const openEscrow = async (
  target: Target,
  file: string | undefined,
  { keys, sops }: Credentials,
  unsigned: readonly string[] = [],
): Promise<Escrow> => {
  const config = await target.config();
  const path = resolve(target.root, file ?? escrowPath(config, target.stack));
  const name = relative(target.root, path).startsWith("..") ? path : relative(target.root, path);
  const text = await readFile(path, "utf8").catch((error: unknown) => {
    throw new Problem(
      `The state of ${target.stack} is lost, and its escrow ${name} cannot be read (${codeOf(error) ?? "?"}): ` +
        "name the file with --from, or bring it back from where it was copied to",
    );
  });
  requireStack(headOf(text, name), target.stack, name);
  const signers = config.escrow?.signers;
  const isOwn = file === undefined && signers === undefined;
  const doubt = escrowDoubt(text, await textOf(signaturePath(path)), { stack: target.stack, signers });
  if (doubt && !isOwn && !isTaken(doubt, path, unsigned)) throw refused(name, doubt, path);
  const escrow = await readEscrow(text, keys, sops, name);
  requireStack(escrow, target.stack, name);
  return escrow;
};

/** Whether a person takes a file although it is unsigned. What another signed, or as something else, nobody takes. */
const isTaken = ({ isUnsigned }: { isUnsigned?: true }, path: string, unsigned: readonly string[]): boolean =>
  isUnsigned === true && unsigned.includes(basename(path));

const refused = (
  name: string,
  { problem, isUnsigned }: { problem: string; isUnsigned?: true },
  path: string,
): Problem =>
  new Problem(
    `${name} ${problem}` +
      (isUnsigned === true
        ? `. To take it all the same, give --unsigned ${basename(path)}`
        : `. Take the file and its ${signatureEnd} from one commit, or from one copy`),
  );

const textOf = (path: string): Promise<string | undefined> =>
  readFile(path, "utf8").catch((error: unknown) => {
    if (codeOf(error) === "ENOENT") return undefined;
    throw new Problem(`${path} cannot be read (${codeOf(error) ?? "?"}): make it readable`);
  });

/** Restores what the stack's configuration lost: the salt and the secrets of its file, and the passphrase. */
export const mendConfiguration = async (target: Target, { stackFile, passphrase }: Escrow): Promise<void> => {
  const text = mended(await readFile(target.stackFile, "utf8"), stackFile);
  if (text !== undefined) {
    await writeWhole(target.stackFile, text);
    console.log(`Pulumi.${target.stack}.yaml has its salt and its secrets again, from the escrow`);
  }
  const has = { ...process.env, ...target.environment };
  if (passphrase === undefined || has.PULUMI_CONFIG_PASSPHRASE || has.PULUMI_CONFIG_PASSPHRASE_FILE) return;
  target.environment.PULUMI_CONFIG_PASSPHRASE = passphrase;
};

/** A snapshot that a rebuild was given, and what opens it. */
export interface Given {
  /** Path of a snapshot, name of a stored one, or `latest`; undefined for none. */
  snapshot: string | undefined;
  /** Names of files that a person takes although they are unsigned. */
  unsigned: readonly string[];
  identities: readonly string[];
}

/** Passes a snapshot of etcd to work as a file, after checking that its signer wrote it and that it is intact. */
export const withGivenSnapshot = async <T>(
  target: Target,
  given: Given,
  work: (file: string | undefined) => Promise<T>,
): Promise<T> => {
  const { snapshot, unsigned, identities } = given;
  if (snapshot === undefined) return work(undefined);
  const path = resolve(target.root, snapshot);
  if (await isFile(path)) return withFile(target, path, given, work);
  const backups = await Backups.of(target, "etcd");
  // An escrow may be named too, so a snapshot's is the one that has a snapshot's name.
  const taken = unsigned.find((name) => timeOf(name, extension.etcd) !== undefined);
  const kept = await backups.choose(
    snapshot === "latest" ? taken : snapshot,
    taken === undefined ? {} : { unsigned: taken },
  );
  for (const each of kept.skipped) console.log(`Skipped: ${each}`);
  return withSnapshot(target, kept, identities, (file) => work(file));
};

/** Uses a person's own snapshot directly, as talosctl writes it. A backup has to be signed, and is decrypted first. */
const withFile = async <T>(
  target: Target,
  path: string,
  { unsigned, identities }: Given,
  work: (file: string) => Promise<T>,
): Promise<T> => {
  if (!path.endsWith(".age")) {
    await requireSnapshot(path);
    return work(path);
  }
  const sealed = await readFile(path);
  const signature = await textOf(path + signatureEnd);
  const expected = { stack: target.stack, kind: "etcd", signers: (await target.config()).escrow?.signers } as const;
  const proof = backupProof({ name: basename(path), signature }, { ...expected, now: new Date() });
  if ("problem" in proof && !isTaken(proof, path, unsigned)) throw refused(path, proof, path);
  if ("digest" in proof && proof.digest !== digestOf(sealed)) {
    throw new Problem(`${path} is not what was signed: it was changed, or is not whole`);
  }
  return withPrivateFolder(async (folder) => {
    const file = join(folder, "etcd.db");
    await writeFile(file, await unseal(sealed, identities, path), { mode: 0o600 });
    await requireSnapshot(file);
    return work(file);
  });
};

const isFile = (path: string): Promise<boolean> =>
  stat(path).then(
    (found) => found.isFile(),
    () => false,
  );
