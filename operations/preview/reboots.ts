import { isDeepStrictEqual } from "node:util";

import { partsOfImage } from "../../components/talos/installer.ts";
import { changed, rebootFields, section } from "../../components/talos/reboots.ts";
import { releaseOf, talosReleases, type WhileRunning } from "../../components/talos/releases/index.ts";
import { documentsOf, identityOf, type MachineDocument } from "./machine-config.ts";

/** What a change requires of a machine beyond a new configuration. */
export interface Restart {
  node: string;
  /** What has to happen. */
  what: string;
  /** The reason. */
  why: string;
  /** Whether the update itself restarts the machine. @default false */
  isAtOnce?: true;
}

/** Returns what a change of its configuration requires of a running machine. */
export const machineRestarts = (node: string, before: string, after: string, releases = talosReleases): Restart[] => {
  const [old, now] = [byIdentity(before), byIdentity(after)];
  const machine = (documents: Map<string, MachineDocument>) => section(documents.get("")?.machine);
  const image = section(machine(old).install).image;
  // An unknown release or a custom image counts as the newest release.
  const running = releaseOf(typeof image === "string" ? partsOfImage(image).version : "", releases) ?? releases.at(-1);
  return [
    ...upgrade(node, section(machine(old).install), section(machine(now).install)),
    ...reinstallation(node, section(machine(old).install), section(machine(now).install)),
    ...(running ? reboot(node, section(old.get("")), section(now.get("")), running.whileRunning) : []),
    ...volumes(node, old, now),
  ];
};

const byIdentity = (text: string): Map<string, MachineDocument> =>
  new Map(documentsOf(text).map((document) => [identityOf(document), document]));

/** Applying a new installer image only records it. The machine changes by an upgrade, which is a step of the rollout. */
const upgrade = (node: string, before: Record<string, unknown>, after: Record<string, unknown>): Restart[] => {
  const [old, now] = [before.image, after.image];
  if (typeof now !== "string" || old === now) return [];
  const reasons = typeof old === "string" ? differencesOfImages(old, now) : [];
  return [
    {
      node,
      what: `upgrade with a reboot to \`${now}\``,
      why: reasons.length === 0 ? "another installer image" : reasons.join(", "),
    },
  ];
};

const differencesOfImages = (before: string, after: string): string[] => {
  const [old, now] = [partsOfImage(before), partsOfImage(after)];
  return [
    ...(old.version === now.version ? [] : [`Talos ${old.version} → ${now.version}`]),
    ...(old.schematic === now.schematic ? [] : ["another schematic (extensions or kernel arguments)"]),
    ...(old.installer === now.installer ? [] : [`${old.installer} → ${now.installer}`]),
  ];
};

const reinstallation = (node: string, before: Record<string, unknown>, after: Record<string, unknown>): Restart[] => {
  const fields = changed(before, after).filter((field) => ["disk", "diskSelector", "wipe"].includes(field));
  return fields.length === 0
    ? []
    : [
        {
          node,
          what: "nothing until it is installed anew",
          why: fields.map((field) => `machine.install.${field}`).join(", "),
        },
      ];
};

const reboot = (
  node: string,
  before: Record<string, unknown>,
  after: Record<string, unknown>,
  whileRunning: WhileRunning,
): Restart[] => {
  const fields = rebootFields(before, after, whileRunning);
  return fields.length === 0
    ? []
    : [{ node, what: "reboots when it gets its configuration", why: fields.join(", "), isAtOnce: true }];
};

/** Talos lays out a system volume only once. */
const volumes = (
  node: string,
  before: Map<string, MachineDocument>,
  after: Map<string, MachineDocument>,
): Restart[] => {
  const names = [...new Set([...before.keys(), ...after.keys()])]
    .filter((identity) => identity.startsWith("VolumeConfig/"))
    .filter((identity) => !isDeepStrictEqual(before.get(identity), after.get(identity)));
  return names.length === 0
    ? []
    : [{ node, what: "nothing until the volume is wiped and made anew", why: names.join(", ").replaceAll("/", " ") }];
};
