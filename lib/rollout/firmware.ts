import { duration } from "../terminal/display.ts";
import { Problem } from "../../toolchain/problem.ts";
import { slots, type DiskKey } from "../cluster/disk-keys.ts";
import type { FirmwareStep } from "./step.ts";
import { eventually, usual, type Surroundings } from "./surroundings.ts";
import { Waiting } from "./waiting.ts";

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

/**
 * Takes a machine through an update of its firmware, which a person does meanwhile. It is drained. Another run goes on wherever one was killed,
 * since each part is told by what the machine has.
 *
 * @param restart restarts the machine, and waits until it is back
 * @throws Problem that says what is the case, and how to go on
 */
export const updateFirmware = async (
  { machine, isUpdated }: FirmwareStep,
  around: Surroundings,
  restart: () => Promise<void>,
): Promise<void> => {
  const { actions, live, command } = around;
  const give = async (text: string, keys: readonly DiskKey[]): Promise<void> => {
    live(`${machine}: ${text}`);
    await actions.giveDiskKeys(machine, keys);
    await restart();
  };
  let isOver = isUpdated;
  for (let restarts = 0; restarts < 10; restarts += 1) {
    const found = await actions.disks(machine);
    requireSecondKey(machine, found, command);
    switch (nextPart(found, isOver)) {
      case "done":
        return;
      case "prepare":
        await give("giving its disks a key that no firmware closes", ["tpm", "nodeID"]);
        break;
      case "restart":
        live(`${machine}: restarting it, so that its disks get their keys`);
        await restart();
        isOver ||= !found.configured.includes("nodeID");
        break;
      case "wait":
        await awaitUpdate(machine, around);
        break;
      case "unseal":
        await give("taking the key away that its TPM does not release any more", ["nodeID"]);
        break;
      case "seal":
        await give("sealing a key to its firmware", ["tpm", "nodeID"]);
        isOver = true;
        break;
      case "finish":
        return give("taking the second key away", ["tpm"]);
    }
  }
  throw new Problem(
    `${machine} does not come to an end of its update: look at \`talosctl get volumestatus\`, then run ${command} again`,
  );
};

/**
 * Requires that a machine has the second key before anybody touches its firmware, or takes the first one away.
 *
 * @throws Problem that names the volumes that have not got it
 */
const requireSecondKey = (machine: string, { configured, volumes }: DisksReading, command: string): void => {
  if (!configured.includes("nodeID")) return;
  const lacking = volumes.flatMap(({ name, failed }) =>
    failed.filter((text) => text.includes(`slot ${slots.nodeID} `)).map((text) => `${name}: ${text}`),
  );
  if (lacking.length === 0) return;
  throw new Problem(
    [
      `${machine} is drained, and some of its disks did not get a second key. Do not update its firmware:`,
      ...lacking.map((each) => `  ${each}`),
      `Look at \`talosctl dmesg\` of it, then run ${command} again`,
    ].join("\n"),
  );
};

/**
 * Waits until a person has updated the firmware, so that the TPM releases no key any more.
 *
 * @throws Problem when that takes too long
 */
const awaitUpdate = async (machine: string, around: Surroundings): Promise<void> => {
  const { actions, live, say, timeouts = usual, command } = around;
  say(`${machine} is drained, and its disks open by two keys. Update its firmware now, and start it again`);
  say(`  Its TPM may go on as before. Then end this, and run ${command} --updated`);
  const waiting = new Waiting();
  const isClosed = await eventually(around, timeouts.person, async () => {
    const found = await actions.disks(machine).catch(() => undefined);
    live(
      waiting.text(`a person at ${machine}`, timeouts.person, found ? "its TPM opens its disks" : "it does not answer"),
    );
    return found !== undefined && nextPart(found, false) !== "wait";
  });
  if (isClosed) return;
  throw new Problem(
    `${machine} is out of service, and its TPM opens its disks as before after ${duration(timeouts.person / 1000)}.\n` +
      `Run ${command} again to go on waiting, or ${command} --updated if its firmware is updated, or is not to be`,
  );
};
