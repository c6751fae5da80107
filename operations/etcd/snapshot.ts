import { createHash } from "node:crypto";
import { readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { execa } from "execa";

import { Problem } from "../../toolchain/problem.ts";
import { clientIn, Talosctl } from "../../lib/cluster/talosctl.ts";
import { Toolchain } from "../../toolchain/toolchain.ts";
import { Backups, type Chosen } from "../backup/backups.ts";
import { unseal } from "../backup/sealed.ts";
import { keyForBackup } from "../backup/signing-key.ts";
import type { Copied } from "../destinations/index.ts";
import { withPrivateFolder } from "../../lib/secrets/private-folder.ts";
import type { Target } from "../../lib/engine/target.ts";

/** The content of a snapshot, as etcdutl reports it. */
export interface SnapshotFacts {
  /** etcd's revision at the time of the snapshot. */
  revision: number;
  keys: number;
  /** In bytes. */
  size: number;
}

/** Length of the digest after the database, and of the database's pages, in bytes. */
const digestLength = 32;
const pageLength = 512;

/**
 * Checks that the digest at the end of a snapshot matches the database before it.
 *
 * Source: etcd, etcdutl/snapshot, the hash that a member sends after the database.
 */
export const hasItsDigest = (snapshot: Uint8Array): boolean => {
  if (snapshot.length <= digestLength || snapshot.length % pageLength !== digestLength) return false;
  const end = snapshot.length - digestLength;
  return createHash("sha256").update(snapshot.subarray(0, end)).digest().equals(snapshot.subarray(end));
};

/**
 * Checks a snapshot: its digest, and with etcdutl every page of its database.
 *
 * @param name of the snapshot in messages
 * @throws Problem if it is damaged
 */
export const checkSnapshot = async (file: string, name: string, etcdutl: string): Promise<SnapshotFacts> => {
  const damaged = (what: string): Problem => new Problem(`${name} is damaged: ${what}. Take another snapshot`);
  if (!hasItsDigest(await readFile(file))) throw damaged("its digest is not that of its database");
  const { exitCode, stdout, stderr } = await execa(etcdutl, ["snapshot", "status", file, "--write-out", "json"], {
    reject: false,
  });
  if (exitCode !== 0) throw damaged(stderr.trim().split("\n").at(-1) ?? "etcdutl cannot read it");
  const { revision, totalKey } = JSON.parse(stdout) as { revision: number; totalKey: number };
  if (revision <= 0 || totalKey <= 0) throw damaged("it holds nothing");
  return { revision, keys: totalKey, size: (await stat(file)).size };
};

/** Origin, content and destinations of a snapshot. */
export interface Taken extends SnapshotFacts {
  name: string;
  /** The control plane that it came from. */
  node: string;
  copies: Copied[];
}

/**
 * Takes a snapshot from the first control plane that provides one, checks it, and stores it encrypted and signed.
 *
 * @param live receives the progress
 * @param complain receives what the person has to know
 */
export const takeSnapshot = (
  target: Target,
  live: (text: string) => void,
  complain: (text: string) => void = live,
): Promise<Taken> =>
  withPrivateFolder(async (folder) => {
    const { nodes } = await target.config();
    const programs = await new Toolchain({ root: target.root }).ensure(["talosctl", "etcdutl"]);
    const outputs = await target.engine.outputs();
    if (!outputs.talosconfig)
      throw new Problem(`The state of ${target.stack} has no talosconfig: bring the stack up first`);
    const key = await keyForBackup(target, complain);
    const talos = new Talosctl(programs.talosctl ?? "talosctl", clientIn(outputs.talosconfig));
    const file = join(folder, "etcd.db");
    const problems: string[] = [];
    for (const [node, { address }] of Object.entries(nodes).filter(([, { role }]) => role === "controlplane")) {
      live(`Asking ${node} for a snapshot`);
      const given = await talos.once(address, ["etcd", "snapshot", file], snapshotTimeout).catch((error: unknown) => {
        if (!(error instanceof Problem)) throw error;
        problems.push(`${node} gives no snapshot: ${error.message}`);
      });
      if (given === undefined) continue;
      live("Checking the snapshot");
      const facts = await checkSnapshot(file, `The snapshot of ${node}`, programs.etcdutl ?? "etcdutl");
      live("Keeping the snapshot");
      const backups = await Backups.of(target, "etcd");
      const own = outputs.ageRecipient === undefined ? [] : [outputs.ageRecipient];
      return { node, ...facts, ...(await backups.add(await readFile(file), { own, key })) };
    }
    throw new Problem([...problems, "Look at the machines with `talosctl health`, then run this again"].join("\n"));
  });

/** Timeout for a control plane to send its database, in milliseconds. */
const snapshotTimeout = 600_000;

/** Opens a snapshot that has proven itself, checks it, and passes it to work as a file. The file is deleted afterwards. */
export const withSnapshot = <T>(
  target: Target,
  { name, sealed }: Chosen,
  identities: readonly string[],
  work: (file: string, facts: SnapshotFacts) => Promise<T>,
): Promise<T> =>
  withPrivateFolder(async (folder) => {
    const { etcdutl = "etcdutl" } = await new Toolchain({ root: target.root }).ensure(["etcdutl"]);
    const file = join(folder, "etcd.db");
    await writeFile(file, await unseal(sealed, identities, name), { mode: 0o600 });
    return work(file, await checkSnapshot(file, name, etcdutl));
  });
