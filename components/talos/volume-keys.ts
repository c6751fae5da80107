import { isDeepStrictEqual } from "node:util";

import { section } from "./reboots.ts";

type Document = Record<string, unknown>;

/**
 * Returns the volumes of a machine that it could not open with another configuration: when it starts the next time, it stays without them.
 *
 * Talos never encrypts, nor decrypts, a volume that exists. It opens one by the keys of the new configuration, and one of them has to be in
 * the volume already. Source: siderolabs/talos v1.13.9, HandleEncryptionWithHandler ("block dev type mismatch") of encrypt.go and Format
 * ("filesystem type mismatch") of format.go, both in internal/app/machined/pkg/controllers/block/internal/volumes, and Open of
 * internal/pkg/encryption/encryption.go.
 *
 * @returns names as `VolumeConfig STATE`
 */
export const closedVolumes = (before: readonly Document[], after: readonly Document[]): string[] => {
  const [old, now] = [volumesOf(before), volumesOf(after)];
  return [...new Set([...old.keys(), ...now.keys()])].filter((name) => {
    // A user volume that is new is made, and one that is gone is not opened. System volumes are always there.
    const isThere = name.startsWith("VolumeConfig ") || (old.has(name) && now.has(name));
    return isThere && !opens(old.get(name), now.get(name));
  });
};

/** The keys of each volume; undefined where it is not encrypted. Patches may give a volume several documents, whose keys add up. */
const volumesOf = (documents: readonly Document[]): Map<string, unknown[] | undefined> => {
  const volumes = new Map<string, unknown[] | undefined>();
  for (const { kind, name, encryption } of documents) {
    if (kind !== "VolumeConfig" && kind !== "UserVolumeConfig") continue;
    const volume = `${kind} ${String(name)}`;
    const { keys } = section(encryption);
    const given = encryption === undefined ? undefined : Array.isArray(keys) ? (keys as unknown[]) : [];
    const before = volumes.get(volume);
    volumes.set(volume, before && given ? [...before, ...given] : (before ?? given));
  }
  return volumes;
};

/** Whether a volume with the one keys opens with the other ones. Without keys it is not encrypted. */
const opens = (before: readonly unknown[] | undefined, after: readonly unknown[] | undefined): boolean => {
  if (before === undefined || after === undefined) return before === after;
  return before.some((key) => after.some((other) => isDeepStrictEqual(key, other)));
};

/** What is said where a machine could not open its disks after a restart. */
export const closedProblem = (machine: string, why: string): string =>
  `${machine} could not open its disks when it restarts (${why}), for Talos encrypts and decrypts no volume that exists: take that back. ` +
  "Or remove the machine, deploy, wipe its disks, and add it again";
