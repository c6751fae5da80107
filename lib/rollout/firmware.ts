import { duration } from "../terminal/display.ts";
import { Problem } from "../../toolchain/problem.ts";
import { slots, type DiskKey } from "../cluster/disk-keys.ts";
import { nextPart, type DisksReading } from "./disks.ts";
import type { FirmwareStep } from "./step.ts";
import { eventually, usual, type Surroundings } from "./surroundings.ts";
import { Waiting } from "./waiting.ts";

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
