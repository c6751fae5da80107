import { stringify } from "yaml";

import { documentsOf } from "./machine-configuration.ts";

/** What opens a machine's disks beside a recovery key: its TPM, which other firmware may close, and its identifier, which none does. */
export type DiskKey = "tpm" | "nodeID";

/** The slots of keys: the program's, and the one of an update of firmware. Slot 1 is the recovery key's. */
export const slots: Record<DiskKey, number> = { tpm: 0, nodeID: 2 };

/** Documents of volumes that may be encrypted. Source: siderolabs/talos v1.13.9, pkg/machinery/config/types/block. */
const kinds = ["VolumeConfig", "UserVolumeConfig", "RawVolumeConfig", "SwapVolumeConfig"];

interface Key {
  slot: number;
  lockToState?: boolean;
  tpm?: unknown;
  nodeID?: unknown;
  static?: unknown;
}

interface VolumeDocument {
  kind?: string;
  name?: string;
  encryption?: { keys?: Key[] };
}

/** The keys of STATE in a machine's configuration; none where no TPM opens it. Other volumes have the same, and the recovery key. */
export const diskKeysOf = (documents: readonly unknown[]): DiskKey[] =>
  documents
    .filter(isOpenedByTpm)
    .filter(({ kind, name }) => kind === "VolumeConfig" && name === "STATE")
    .flatMap(({ encryption: { keys } }) => keys.flatMap((key) => kindOf(key) ?? []));

const kindOf = (key: Key): DiskKey | undefined =>
  (Object.keys(slots) as DiskKey[]).find((kind) => key.slot === slots[kind] && key[kind] !== undefined);

/** Talos's names of the volumes that a TPM opens, without the cache of images, which holds nothing of its own and may not be there. Source: siderolabs/talos v1.13.9, pkg/machinery/constants/constants.go, UserVolumePrefix and others. */
export const sealedVolumes = (documents: readonly unknown[]): string[] => [
  ...new Set(
    documents
      .filter(isOpenedByTpm)
      .filter(({ name }) => name !== "IMAGECACHE")
      .map(({ kind = "", name = "" }) => `${prefixes[kind] ?? ""}${name}`),
  ),
];

const prefixes: Record<string, string> = { UserVolumeConfig: "u-", RawVolumeConfig: "r-", SwapVolumeConfig: "s-" };

/** Keys of volumes that a TPM opens which cannot be beside the second key, or be made again as they are. Patches may have such. */
export const foreignKeys = (documents: readonly unknown[]): string[] =>
  documents.filter(isOpenedByTpm).flatMap(({ kind = "", name = "", encryption }) =>
    encryption.keys.flatMap((key) => {
      const isTaken = key.slot === slots.nodeID && key.nodeID === undefined;
      const options = Object.keys(key.tpm ?? {}).filter((option) => option !== "checkSecurebootStatusOnEnroll");
      if (isTaken) return [`${kind} ${name}: its key in slot ${slots.nodeID}`];
      return options.map((option) => `${kind} ${name}: \`tpm.${option}\` of its key in slot ${key.slot}`);
    }),
  );

/**
 * A machine's configuration whose encrypted volumes have these keys, beside recovery keys.
 *
 * A volume that no TPM opens keeps its keys.
 */
export const withDiskKeys = (text: string, wanted: readonly DiskKey[]): string => {
  const documents = documentsOf(text);
  const installer = (documents as { machine?: { install?: { image?: string } } }[]).find(({ machine }) => machine)
    ?.machine?.install?.image;
  // As `volumeDocuments` of components/talos/documents has it: the key is made only where SecureBoot is on.
  const tpm = installer?.includes("installer-secureboot") === true ? { checkSecurebootStatusOnEnroll: true } : {};
  return documents
    .map((document) => (isOpenedByTpm(document) ? withKeys(document, wanted, tpm) : document))
    .map((document) => stringify(document, { lineWidth: 0 }))
    .join("---\n");
};

const withKeys = (
  document: VolumeDocument & { encryption: { keys: Key[] } },
  wanted: readonly DiskKey[],
  tpm: object,
): VolumeDocument => {
  const { keys } = document.encryption;
  const others = keys.filter((key) => kindOf(key) === undefined);
  const isLocked = keys.some(({ lockToState }) => lockToState === true);
  const made = wanted.map((kind) => ({
    slot: slots[kind],
    [kind]: kind === "tpm" ? tpm : {},
    ...(isLocked && { lockToState: true }),
  }));
  const all = [...others, ...made].sort((a, b) => a.slot - b.slot);
  return { ...document, encryption: { ...document.encryption, keys: all } };
};

/** Whether a document is of a volume with a key of a TPM, or with the one that stands in for it. */
const isOpenedByTpm = (document: unknown): document is VolumeDocument & { encryption: { keys: Key[] } } => {
  const { kind = "", encryption } = (document ?? {}) as VolumeDocument;
  return kinds.includes(kind) && (encryption?.keys ?? []).some((key) => kindOf(key) !== undefined);
};
