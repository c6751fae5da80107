import { duration } from "../terminal/display.ts";
import { Problem } from "../../toolchain/problem.ts";
import type { DiskKey } from "../cluster/disk-keys.ts";
import { failures, isRefused, nextPart, withFailures, type DisksReading } from "./disks.ts";
import type { FirmwareStep } from "./step.ts";
import { eventually, usual, whileOut, type Surroundings } from "./surroundings.ts";
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
    await whileOut(machine, text, around, actions.giveDiskKeys(machine, keys));
    await restart();
  };
  let isOver = isUpdated;
  for (let restarts = 0; restarts < 12; restarts += 1) {
    const found = await look(machine, around);
    if (isRefused(found)) {
      await give("taking back the second key", ["tpm"]);
      await actions.putBack(machine);
      throw new Problem(
        withFailures(
          `${machine} is in service again as it was, for its disks take no second key. Do not update its firmware:`,
          found,
        ) + "\nRemove the machine, deploy, update its firmware, and add it again",
      );
    }
    requireKeys(machine, found, command);
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
        await give("taking the second key away", ["tpm"]);
        isOver = true;
        break;
    }
  }
  throw new Problem(
    `${machine} is out of service, and does not come to an end of its update: look at \`talosctl get volumestatus\` of it, then run ${command} again`,
  );
};

/**
 * Reads how a machine's disks are opened. A person may be at its firmware, so it may take as long as that to answer.
 *
 * @throws Problem if it does not, or if its disks are not open
 */
const look = async (machine: string, around: Surroundings): Promise<DisksReading> => {
  const { actions, live, timeouts = usual, command } = around;
  const waiting = new Waiting();
  let found: DisksReading | undefined;
  // Once it answers, its disks open soon or not at all.
  const deadline = () =>
    found ? waiting.since("its disks") + timeouts.restart : waiting.since(machine) + timeouts.person;
  const isOpen = await eventually(around, deadline, async () => {
    try {
      found = await actions.disks(machine);
    } catch (error) {
      live(waiting.text(machine, timeouts.person, "it does not answer"));
      throw error;
    }
    return found.closed.length === 0;
  });
  if (isOpen && found) return found;
  throw new Problem(
    `${machine} is out of service, and ${found ? `${found.closed.join(", ")} of it ${found.closed.length > 1 ? "are" : "is"} not open` : "does not answer"}: ` +
      `look at its console, or \`talosctl dmesg\` of it. Then run ${command} again`,
  );
};

/**
 * Requires that a machine has the keys that it was given, before anybody touches its firmware and before another key is taken away.
 *
 * @throws Problem that names the volumes that have not got one
 */
const requireKeys = (machine: string, found: DisksReading, command: string): void => {
  if (failures(found).length === 0) return;
  throw new Problem(
    withFailures(
      `${machine} is out of service, and its disks did not take or lose a key as they should. Do not update its firmware:`,
      found,
    ) +
      `\nA TPM takes no key where SecureBoot is to be on and is off: turn it on. Look at \`talosctl dmesg\` of it, restart it, then run ${command} again`,
  );
};

/**
 * Waits until a person has updated the firmware, so that the TPM releases no key any more.
 *
 * @throws Problem when that takes too long, or somebody takes the second key away
 */
const awaitUpdate = async (machine: string, around: Surroundings): Promise<void> => {
  const { actions, live, say, timeouts = usual, command } = around;
  say(`${machine} is drained, and its disks open by two keys. Update its firmware now, and start it again`);
  say(`  Its TPM may go on as before. Then end this, and run ${command} --updated`);
  const waiting = new Waiting();
  const last: { found?: DisksReading | undefined } = {};
  const isClosed = await eventually(around, timeouts.person, async () => {
    last.found = await actions.disks(machine).catch(() => undefined);
    live(
      waiting.text(
        `a person at ${machine}`,
        timeouts.person,
        last.found ? "its TPM opens its disks" : "it does not answer",
      ),
    );
    return last.found?.closed.length === 0 && nextPart(last.found, false) !== "wait";
  });
  const { found } = last;
  if (found?.configured.includes("nodeID") === false)
    throw new Problem(
      `${machine} is out of service, and somebody took the second key of its disks away, as pulumi up does. Neither touch its firmware nor ` +
        `restart it: run ${command}, which puts it back in service, and once more to update its firmware`,
    );
  if (isClosed) return;
  throw new Problem(
    `${machine} is out of service, and ${found ? "its TPM opens its disks as before" : "does not answer"} after ${duration(timeouts.person / 1000)}.\n` +
      `Run ${command} again to go on waiting, or ${command} --updated if its firmware is updated, or is not to be`,
  );
};
