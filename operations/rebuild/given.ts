import { readFile, stat, writeFile } from "node:fs/promises";
import { join, relative, resolve } from "node:path";

import { escrowPath } from "../../infra/escrow-file.ts";
import { codeOf, Problem } from "../../toolchain/problem.ts";
import { Backups } from "../backup/backups.ts";
import { unseal } from "../backup/sealed.ts";
import { readEscrow, requireStack, type Escrow } from "../../lib/secrets/escrow.ts";
import { withPrivateFolder } from "../../lib/secrets/private-folder.ts";
import { writeWhole } from "../../lib/terminal/whole-file.ts";
import type { Credentials } from "../escrow/write.ts";
import { withSnapshot } from "../etcd/snapshot.ts";
import type { Target } from "../../lib/engine/target.ts";
import { requireSnapshot } from "./snapshot.ts";
import { mended } from "./stack-file.ts";

/**
 * Opens the escrow of a stack.
 *
 * @param file its path; defaults to the configuration's
 */
export const openEscrow = async (
  target: Target,
  file: string | undefined,
  { keys, sops }: Credentials,
): Promise<Escrow> => {
  const path = resolve(target.root, file ?? escrowPath(await target.config(), target.stack));
  const name = relative(target.root, path).startsWith("..") ? path : relative(target.root, path);
  const text = await readFile(path, "utf8").catch((error: unknown) => {
    throw new Problem(
      `The state of ${target.stack} is lost, and its escrow ${name} cannot be read (${codeOf(error) ?? "?"}): ` +
        "name the file with --from, or bring it back from where it was copied to",
    );
  });
  const escrow = await readEscrow(text, keys, sops, name);
  requireStack(escrow, target.stack, name);
  return escrow;
};

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

/**
 * Passes a snapshot of etcd to work as a file, after checking that it is intact.
 *
 * @param given path of a snapshot, name of a stored one, or `latest`; undefined for none
 */
export const withGivenSnapshot = async <T>(
  target: Target,
  given: string | undefined,
  identities: readonly string[],
  work: (file: string | undefined) => Promise<T>,
): Promise<T> => {
  if (given === undefined) return work(undefined);
  const path = resolve(target.root, given);
  if (await isFile(path)) return withPlainFile(path, identities, work);
  const kept = await (await Backups.of(target, "etcd")).choose(given === "latest" ? undefined : given);
  return withSnapshot(target, kept, identities, (file) => work(file));
};

/** Uses a snapshot of talosctl directly, and decrypts an encrypted one, such as a backup, first. */
const withPlainFile = async <T>(
  path: string,
  identities: readonly string[],
  work: (file: string) => Promise<T>,
): Promise<T> => {
  if (!path.endsWith(".age")) {
    await requireSnapshot(path);
    return work(path);
  }
  return withPrivateFolder(async (folder) => {
    const file = join(folder, "etcd.db");
    await writeFile(file, await unseal(await readFile(path), identities, path), { mode: 0o600 });
    await requireSnapshot(file);
    return work(file);
  });
};

const isFile = (path: string): Promise<boolean> =>
  stat(path).then(
    (found) => found.isFile(),
    () => false,
  );
