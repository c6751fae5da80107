import { documentOf, withoutUndefined, type TalosDocument } from "./document.ts";

/** Where the key of encrypted disks comes from: the machine's own identifier or its TPM. With `none`, disks are not encrypted. */
export type DiskEncryption = "none" | "nodeID" | "tpm";

/** How a volume is created. Sizes have the form `100GiB`. */
export interface Provisioning {
  /** Selects the disk, as a CEL expression. @example 'disk.transport == "nvme" && !system_disk' */
  disk?: string | undefined;
  minSize?: string | undefined;
  /** A size or a percentage. */
  maxSize?: string | undefined;
  /** Grow the volume if the disk has free space. */
  grow?: boolean | undefined;
}

/** A user volume, mounted at `/var/mnt/<name>`. */
export interface UserVolume extends Provisioning {
  disk: string;
  filesystem?: "xfs" | "ext4" | undefined;
}

export interface VolumeSettings {
  encryption: DiskEncryption;
  /** Whether the machine uses SecureBoot. The TPM then releases its key only to a verified boot. */
  secureBoot: boolean;
  /** The volume of `/var`, which holds images, logs and etcd. */
  ephemeral?: Provisioning | undefined;
  /** User volumes by name. */
  volumes: Record<string, UserVolume>;
}

/**
 * Renders the documents of a machine's volumes.
 *
 * STATE holds the machine configuration. The keys of all other volumes are locked to it: a disk that is moved to a machine with
 * another STATE cannot be decrypted. Source: Talos 1.12 reference, block/VolumeConfig.
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

/**
 * Renders a second key for the volumes whose key is in the TPM, so that they open without it. It is merged with `volumeDocuments`: Talos
 * appends keys to keys.
 *
 * STATE gets none. Talos writes STATE's keys into META, which nothing encrypts, and STATE holds only what Hearth can write again. This key
 * is not locked to STATE either: whatever takes the TPM's key takes STATE. Source: siderolabs/talos v1.13.9, setupStateEncryption of
 * internal/app/machined/pkg/controllers/block/volume_config.go, and internal/pkg/encryption/keys/salted.go.
 *
 * @param passphrase is in the documents in plain
 */
export const recoveryKeyDocuments = (
  { encryption, volumes }: Pick<VolumeSettings, "encryption" | "volumes">,
  passphrase: string,
): TalosDocument[] => {
  if (encryption !== "tpm") return [];
  const opened = { encryption: { provider: "luks2", keys: [{ slot: 1, static: { passphrase } }] } };
  return [
    documentOf("VolumeConfig", { name: "EPHEMERAL", ...opened }),
    ...Object.keys(volumes).map((name) => documentOf("UserVolumeConfig", { name, ...opened })),
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
