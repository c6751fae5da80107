import { duration } from "../terminal/display.ts";
import { Problem } from "../../toolchain/problem.ts";
import type { BootReading } from "./read.ts";
import { eventually, usual, whileOut, type Surroundings } from "./surroundings.ts";
import { Waiting } from "./waiting.ts";

/** A machine of metal that has to wait for its configuration. */
export interface AwaitedBoot {
  machine: string;
  /** Whether it has to have SecureBoot on; otherwise off. */
  isSecureBoot: boolean;
  /** Whether it may have its configuration already, which an interrupted run gave it. */
  mayRun: boolean;
}

/**
 * Wipes the disks that Talos uses on a machine, and waits until it is no machine of the cluster any more.
 *
 * What only its partitions STATE and EPHEMERAL are wiped of still has Talos, and an ISO does not go on there. Source: siderolabs/talos v1.13.9,
 * haltIfInstalled of internal/app/machined/pkg/runtime/v1alpha1/v1alpha1_sequencer_tasks.go.
 *
 * @throws Problem if it still answers as one
 */
export const wipe = async (machine: string, around: Surroundings): Promise<void> => {
  const { actions, live, timeouts = usual, command } = around;
  live(`${machine}: wiping it`);
  await whileOut(machine, "its reset", around, actions.wipe(machine));
  const isGone = await eventually(around, timeouts.boot, async () => (await actions.boot(machine)).state !== "member");
  if (isGone) return;
  throw new Problem(
    `${machine} is drained, and was not wiped: it still answers as a machine of the cluster. ` +
      `Look at \`talosctl dmesg\` of it, then run ${command} again`,
  );
};

/**
 * Waits until a person has booted a machine so that it takes its configuration: in maintenance mode, with SecureBoot on or off.
 *
 * @throws Problem that says how it answers instead
 */
export const awaitBoot = async (awaited: AwaitedBoot, around: Surroundings): Promise<void> => {
  const { machine, isSecureBoot, mayRun } = awaited;
  const { actions, live, say, timeouts = usual, command } = around;
  const waiting = new Waiting();
  let found: BootReading = { state: "silent" };
  let isSaid = false;
  await eventually(around, timeouts.person, async () => {
    found = await actions.boot(machine).catch((): BootReading => ({ state: "silent" }));
    if (isAsAwaited(awaited, found) || found.state === "member") return true;
    for (const line of isSaid ? [] : toDo(awaited, around)) say(line);
    isSaid = true;
    live(waiting.text(`a person at ${machine}`, timeouts.person, answerOf(found)));
    return false;
  });
  if (isAsAwaited(awaited, found)) return;
  throw new Problem(
    found.state === "member"
      ? [
          `${machine} ${answerOf(found)}, and has to be wiped before it gets its configuration${mayRun ? "" : ": its reset failed"}.`,
          `Look at \`talosctl dmesg\` of it, and run \`talosctl reset --graceful=false --reboot --wipe-mode system-disk\` for it. Then`,
          `run ${command} again, which waits until it is booted with SecureBoot ${isSecureBoot ? "on" : "off"}`,
        ].join("\n")
      : [
          `${machine} is out of service, and no other machine will be taken out: after ${duration(timeouts.person / 1000)} it ${answerOf(found)}.`,
          ...toDo(awaited, around).slice(1, -1),
          `Then run ${command} again, which goes on with this machine`,
        ].join("\n"),
  );
};

const isAsAwaited = ({ isSecureBoot, mayRun }: AwaitedBoot, found: BootReading): boolean =>
  (found.state === "blank" || (mayRun && found.state === "member")) && found.isSecureBoot === isSecureBoot;

const answerOf = ({ state, isSecureBoot }: BootReading): string => {
  const secureBoot =
    isSecureBoot === undefined
      ? "does not say whether SecureBoot is on"
      : `has SecureBoot ${isSecureBoot ? "on" : "off"}`;
  switch (state) {
    case "silent":
      return "does not answer";
    case "blank":
      return `waits in maintenance mode, and ${secureBoot}`;
    case "member":
      return `answers as a machine of the cluster, and ${secureBoot}`;
    case "foreign":
      return "answers with the certificate of another cluster";
  }
};

/**
 * What a person does at a machine.
 *
 * Source: siderolabs/talos v1.13.9, pkg/imager/iso/uefi.go: only ISOs bring keys, and on metal a person chooses to enrol them.
 */
const toDo = ({ machine, isSecureBoot }: AwaitedBoot, { bootCommand }: Surroundings): string[] => [
  awaitsPerson(machine, isSecureBoot),
  isSecureBoot
    ? "    In its firmware, turn SecureBoot on and delete the keys, which is setup mode."
    : "    In its firmware, turn SecureBoot off.",
  `    Boot the ISO that ${bootCommand(machine)} names${isSecureBoot ? ', and choose "Enroll Secure Boot keys: auto" in its menu' : ""}.`,
  "    The deployment goes on when it answers so. One that is ended goes on here when it is run again.",
];

/** The line by which a deployment says that it waits for a person. */
const awaitsPerson = (machine: string, isSecureBoot: boolean): string =>
  `  ${machine} waits for a person, with SecureBoot to be turned ${isSecureBoot ? "on" : "off"}:`;

/** The machine that a line says a deployment waits for, and whether SecureBoot is to be on; undefined for any other line. */
export const personAwaitedIn = (line: string): { machine: string; isSecureBoot: boolean } | undefined => {
  const [, machine, word] = /^ {2}(\S+) waits for a person, with SecureBoot to be turned (on|off):$/.exec(line) ?? [];
  return machine === undefined ? undefined : { machine, isSecureBoot: word === "on" };
};
