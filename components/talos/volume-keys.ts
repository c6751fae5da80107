import { isDeepStrictEqual } from "node:util";

import { madeVolumes } from "./own-volumes.ts";
import { section } from "./section.ts";

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
    // A volume that is new is made, and one that is gone is not opened.
    const isThere = always.includes(name) || (old.has(name) && now.has(name));
    return isThere && !opens(old.get(name), now.get(name));
  });
};

/**
 * The volumes that each machine has, whatever its configuration says. The cache of images has a partition only if a document asks for one.
 *
 * Source: siderolabs/talos, internal/app/machined/pkg/controllers/block/internal/volumes/volumeconfig/system_volumes.go, and
 * createVolumeConfigDisk of controllers/cri/image_cache_config.go, both of main on 2026-08-21.
 */
const always = ["VolumeConfig STATE", "VolumeConfig EPHEMERAL"];

/** Documents that may have a volume encrypted. Source: the same folder, user_volumes.go. */
const kinds = ["VolumeConfig", ...madeVolumes];

/** The keys of each volume; undefined where it is not encrypted. Patches may give a volume several documents, whose keys add up. */
const volumesOf = (documents: readonly Document[]): Map<string, unknown[] | undefined> => {
  const volumes = new Map<string, unknown[] | undefined>();
  for (const { kind, name, encryption } of documents) {
    if (!kinds.includes(String(kind))) continue;
    const volume = `${String(kind)} ${String(name)}`;
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
