import { documentOf, withoutUndefined, type TalosDocument } from "./document.ts";

/** What opens the encrypted disk: nothing is encrypted, the machine's own identifier, or its TPM. */
export type DiskEncryption = "none" | "nodeID" | "tpm";

/** Where a volume comes from. Sizes are such as `100GiB`. */
export interface Provisioning {
  /** Which disk, as a CEL expression. @example 'disk.transport == "nvme" && !system_disk' */
  disk?: string | undefined;
  minSize?: string | undefined;
  /** A size or a percentage. */
  maxSize?: string | undefined;
  /** Take what is free when there is more of it. */
  grow?: boolean | undefined;
}

/** A volume of one's own, mounted at `/var/mnt/<name>`. */
export interface UserVolume extends Provisioning {
  disk: string;
  filesystem?: "xfs" | "ext4" | undefined;
}

export interface VolumeSettings {
  encryption: DiskEncryption;
  /** Whether the machine proves what it booted: then the TPM gives its key only to that. */
  secureBoot: boolean;
  /** The volume of `/var`: images, logs, etcd. */
  ephemeral?: Provisioning | undefined;
  /** Volumes of one's own by name. */
  volumes: Record<string, UserVolume>;
}

/**
 * The documents of a machine's volumes.
 *
 * STATE holds the machine configuration. The keys of the others are locked to it, so that a disk moved behind another STATE
 * does not open. Source: Talos 1.12 reference, block/VolumeConfig.
 */
export const volumeDocuments = ({ encryption, secureBoot, ephemeral, volumes }: VolumeSettings): TalosDocument[] => {
  const key = diskKey(encryption, secureBoot);
  const locked = key && encryptedWith({ ...key, lockToState: true });
  return [
    ...(key ? [documentOf("VolumeConfig", { name: "STATE", ...encryptedWith(key) })] : []),
    ...(locked || ephemeral
      ? [documentOf("VolumeConfig", { name: "EPHEMERAL", ...(ephemeral && provisioning(ephemeral)), ...locked })]
      : []),
    ...Object.entries(volumes).map(([name, { filesystem, ...from }]) =>
      documentOf("UserVolumeConfig", {
        name,
        ...provisioning(from),
        ...(filesystem && { filesystem: { type: filesystem } }),
        ...locked,
      }),
    ),
  ];
};

const diskKey = (encryption: DiskEncryption, secureBoot: boolean): Record<string, unknown> | undefined => {
  switch (encryption) {
    case "none":
      return undefined;
    case "nodeID":
      return { nodeID: {} };
    case "tpm":
      return { tpm: secureBoot ? { checkSecurebootStatusOnEnroll: true } : {} };
  }
};

const encryptedWith = (key: Record<string, unknown>) => ({
  encryption: { provider: "luks2", keys: [{ slot: 0, ...key }] },
});

const provisioning = ({ disk, minSize, maxSize, grow }: Provisioning) => ({
  provisioning: withoutUndefined({
    diskSelector: disk === undefined ? undefined : { match: disk },
    minSize,
    maxSize,
    grow,
  }),
});
