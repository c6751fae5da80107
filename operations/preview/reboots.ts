import { isDeepStrictEqual } from "node:util";

import { releaseOf, talosReleases, type WhileRunning } from "../../components/talos/releases/index.ts";
import { documentsOf, identityOf, type MachineDocument } from "./machine-config.ts";

/** What a change requires of a machine beyond a new configuration. */
export interface Restart {
  node: string;
  /** What has to happen. */
  what: string;
  /** The reason. */
  why: string;
}

/** Returns what a change of its configuration requires of a running machine. */
export const machineRestarts = (
  { node, address }: { node: string; address: string },
  before: string,
  after: string,
  releases = talosReleases,
): Restart[] => {
  const [old, now] = [byIdentity(before), byIdentity(after)];
  const machine = (documents: Map<string, MachineDocument>) => section(documents.get("")?.machine);
  const image = section(machine(old).install).image;
  // An unknown release or a custom image counts as the newest release.
  const running = releaseOf(typeof image === "string" ? partsOfImage(image).version : "", releases) ?? releases.at(-1);
  return [
    ...upgrade({ node, address }, section(machine(old).install), section(machine(now).install)),
    ...reinstallation(node, section(machine(old).install), section(machine(now).install)),
    ...(running ? reboot(node, section(old.get("")), section(now.get("")), running.whileRunning) : []),
    ...volumes(node, old, now),
  ];
};

const byIdentity = (text: string): Map<string, MachineDocument> =>
  new Map(documentsOf(text).map((document) => [identityOf(document), document]));

const section = (value: unknown): Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {};

const changed = (before: Record<string, unknown>, after: Record<string, unknown>): string[] =>
  [...new Set([...Object.keys(before), ...Object.keys(after)])].filter(
    (key) => !isDeepStrictEqual(before[key], after[key]),
  );

/** Applying a new installer image only records it. The machine changes by an upgrade, which reboots it. */
const upgrade = (
  { node, address }: { node: string; address: string },
  before: Record<string, unknown>,
  after: Record<string, unknown>,
): Restart[] => {
  const [old, now] = [before.image, after.image];
  if (typeof now !== "string" || old === now) return [];
  const reasons = typeof old === "string" ? differencesOfImages(old, now) : [];
  return [
    {
      node,
      what: `upgrade with a reboot: \`talosctl upgrade --nodes ${address} --image ${now}\``,
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

/** Source of the form: siderolabs/image-factory, `<host>/<installer>/<schematic>:<version>`. */
const partsOfImage = (image: string) => {
  const [, installer = "", schematic = "", version = ""] = /([^/]+)\/([^/:]+):([^:]+)$/.exec(image) ?? [];
  return { installer, schematic, version };
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
  const beside = changed(before, after).filter((name) => !["machine", ...whileRunning.configuration].includes(name));
  const [old, now] = [section(before.machine), section(after.machine)];
  // Talos compares features one by one only if both configurations have some.
  const comparesFeatures = old.features !== undefined && now.features !== undefined;
  const sections = changed(old, now).filter(
    (name) => !whileRunning.machine.includes(name) && !(name === "features" && comparesFeatures),
  );
  const features = (comparesFeatures ? changed(section(old.features), section(now.features)) : []).filter(
    (name) => !whileRunning.features.includes(name),
  );
  const fields = [
    ...beside,
    ...sections.map((name) => `machine.${name}`),
    ...features.map((name) => `machine.features.${name}`),
  ];
  return fields.length === 0 ? [] : [{ node, what: "reboots when it gets its configuration", why: fields.join(", ") }];
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
