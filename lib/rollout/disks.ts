import { slots, type DiskKey } from "../cluster/disk-keys.ts";

/** How a machine's disks are opened. */
export interface DisksReading {
  /** The keys that its configuration has for STATE; none if no TPM opens it. */
  configured: readonly DiskKey[];
  /** Its encrypted volumes, as they were opened when it booted. */
  volumes: readonly OpenedVolume[];
  /** Encrypted volumes of its configuration that are not open. */
  closed: readonly string[];
  /** Keys of its configuration that are in the way of the second key, or would not be the same after being sealed again. */
  foreign: readonly string[];
}

export interface OpenedVolume {
  name: string;
  /** The slot whose key opened it. */
  slot: number | undefined;
  /** The kinds of keys that it was to have when it was opened. */
  keys: readonly string[];
  /** Keys that it could not be given, with the reason: `error adding key slot 2 …`. */
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
  if (volumes.every(({ slot }) => slot === slots.tpm)) return isUpdated ? "finish" : "wait";
  // A key that was sealed at this start has opened nothing yet: the next start measures what it is sealed to.
  return volumes.some(({ failed }) => failed.some(isClosed)) ? "unseal" : "restart";
};

/** Whether a failure is that of a key which the TPM does not release. Talos reads the slot before it gives it a key. */
const isClosed = (text: string): boolean => new RegExp(`^error updating key slot ${slots.tpm}\\b`).test(text);

/**
 * Failures to give keys that no update of firmware explains, by their volumes.
 *
 * One closes the TPM's keys of all volumes, or of none.
 */
export const failures = ({ volumes }: DisksReading): string[] => {
  const isReleased = volumes.some(({ slot }) => slot === slots.tpm);
  return volumes.flatMap(({ name, failed }) =>
    failed.filter((text) => isReleased || !isClosed(text)).map((text) => `${name}: ${text}`),
  );
};

/** Whether the second key could not be added, while the TPM opens everything: then the machine can be as it was. */
export const isRefused = ({ configured, volumes }: DisksReading): boolean =>
  configured.includes("nodeID") &&
  volumes.every(({ slot }) => slot === slots.tpm) &&
  volumes.some(({ failed }) =>
    failed.some((text) => new RegExp(`^error adding key slot ${slots.nodeID}\\b`).test(text)),
  );

/** Whether a machine's disks have, or are to have, the second key. Whatever takes it away meanwhile may leave them closed. */
export const isBetween = ({ configured, volumes }: DisksReading): boolean =>
  configured.includes("nodeID") || (configured.length > 0 && volumes.some(({ keys }) => keys.includes("nodeID")));

/** Why nothing may give a machine its configuration, which has no second key: without it, disks may be closed at the next start. */
export const betweenProblem = (machine: string): string =>
  `${machine} is in the midst of an update of its firmware, with which \`npx hearth firmware\` goes on`;

/** Why no update of a machine's firmware is begun; undefined where it may be. */
export const refusal = (
  machine: string,
  disks: DisksReading,
  { command, isUpdated }: { command: string; isUpdated: boolean },
): string | undefined => {
  if (disks.configured.length === 0)
    return `The disks of ${machine} are not opened by a TPM, so its firmware closes none: drain it with kubectl, update it, and uncordon it`;
  if (isUpdated && !isBetween(disks))
    return `No update of the firmware of ${machine} was begun, so there is no end of one: run ${command} without --updated`;
  if (disks.closed.length > 0)
    return `${disks.closed.join(", ")} of ${machine} should be encrypted, and open: look at \`talosctl get volumestatus\``;
  if (disks.foreign.length > 0)
    return [
      `The disks of ${machine} have keys that could not be beside a second one, or made again as they are:`,
      ...disks.foreign.map((each) => `  ${each}`),
      `Take them out of the patches and deploy first`,
    ].join("\n");
  if (failures(disks).length === 0) return undefined;
  return `${withFailures(`The disks of ${machine} did not take or lose a key at its last start:`, disks)}\nRestart it first`;
};

/** What is the case, and below it the failures to give keys, a line each. */
export const withFailures = (what: string, disks: DisksReading): string =>
  [what, ...failures(disks).map((each) => `  ${each}`)].join("\n");
