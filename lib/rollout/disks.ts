import { slots, type DiskKey } from "../cluster/disk-keys.ts";

/** How a machine's disks are opened. */
export interface DisksReading {
  /** The keys that its configuration has for STATE; none if no TPM opens it. */
  configured: readonly DiskKey[];
  /** Its encrypted volumes, as they were opened when it booted. */
  volumes: readonly OpenedVolume[];
}

export interface OpenedVolume {
  name: string;
  /** The slot whose key opened it. */
  slot: number | undefined;
  /** The kinds of keys that it was to have when it was opened. */
  keys: readonly string[];
  /** Keys that it could not be given, with the reason. */
  failed: readonly string[];
}

/** What is next for a machine whose firmware is updated. */
export type Part = "prepare" | "restart" | "wait" | "unseal" | "seal" | "finish" | "done";

/**
 * Says what is next. The machine has two keys while a person updates its firmware: one in its TPM, and one that firmware does not close.
 *
 * A key in the TPM that other firmware has closed stays closed: Talos gives a slot another key only where it can read what the slot has. So
 * it is taken out of the volume, and made anew. Source: siderolabs/talos v1.13.9, updateKey and checkKey of
 * internal/pkg/encryption/encryption.go, and GetKey of internal/pkg/encryption/keys/tpm2.go.
 *
 * @param isUpdated whether a person says that the firmware is updated
 */
export const nextPart = ({ configured, volumes }: DisksReading, isUpdated: boolean): Part => {
  const has = (kind: DiskKey): boolean => configured.includes(kind);
  const hadAll = (kind: DiskKey): boolean => volumes.every(({ keys }) => keys.includes(kind));
  if (!has("nodeID")) {
    if (volumes.some(({ keys }) => keys.includes("nodeID"))) return "restart";
    return has("tpm") && !isUpdated ? "prepare" : "done";
  }
  if (!hadAll("nodeID") || hadAll("tpm") !== has("tpm")) return "restart";
  if (!has("tpm")) return "seal";
  if (volumes.some(({ failed }) => failed.length > 0)) return "unseal";
  const isBySeal = volumes.every(({ slot }) => slot === slots.tpm);
  return isBySeal && !isUpdated ? "wait" : "finish";
};

/** Whether a machine's disks have, or are to have, the second key. Whatever takes it away meanwhile may leave them closed. */
export const isBetween = ({ configured, volumes }: DisksReading): boolean =>
  configured.includes("nodeID") || (configured.length > 0 && volumes.some(({ keys }) => keys.includes("nodeID")));
