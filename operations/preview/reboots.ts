import { isDeepStrictEqual } from "node:util";

import { stringify } from "yaml";

import { partsOfImage } from "../../components/talos/installer.ts";
import { apiServerFields, changed, rebootFields } from "../../components/talos/reboots.ts";
import { section } from "../../components/talos/section.ts";
import { releaseOf, talosReleases, type WhileRunning } from "../../components/talos/releases/index.ts";
import { registeredTaints, removedText, taintChange, taintText } from "../../components/talos/taints.ts";
import { documentsIn, type MachineDocument } from "../../components/talos/documents-in.ts";
import { closedVolumes } from "../../components/talos/volume-keys.ts";
import { identityOf } from "./machine-config.ts";

/** What a change requires of a machine beyond a new configuration. */
export interface Restart {
  node: string;
  /** What has to happen. */
  what: string;
  /** The reason. */
  why: string;
  /** Whether the update itself restarts the machine. @default false */
  isAtOnce?: true;
  /** Whether the update itself restarts the machine's API server, and no more. @default false */
  isOfApiServer?: true;
  /** Whether the machine does not come back from its next restart, unless it is made anew. @default false */
  isFatal?: true;
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
    ...apiServer(node, section(old.get("")), section(now.get(""))),
    ...volumes(node, documentsIn(before), documentsIn(after)),
    ...taints(node, machine(old), machine(now)),
  ];
};

/** A deployment sets taints that harm no pod. Others are a person's to set. */
const taints = (node: string, before: Record<string, unknown>, after: Record<string, unknown>): Restart[] => {
  const change = taintChange(registeredTaints(before), registeredTaints(after));
  if (!change) return [];
  const evicting = [...change.evicting.map(taintText), ...change.replaced.map(removedText)].join(" ");
  return [
    {
      node,
      what:
        evicting === ""
          ? "nothing: `npx hearth deploy` sets them"
          : `\`kubectl taint node ${node} ${evicting}\` by you`,
      why: evicting === "" ? "taints of a worker that runs" : "a taint that evicts pods at once",
    },
  ];
};

const byIdentity = (text: string): Map<string, MachineDocument> =>
  new Map(documentsIn(text).map((document) => [identityOf(document), document]));

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

const apiServer = (node: string, before: Record<string, unknown>, after: Record<string, unknown>): Restart[] => {
  const fields = section(after.machine).type === "worker" ? [] : apiServerFields(before, after);
  return fields.length === 0
    ? []
    : [
        {
          node,
          what: "restarts its API server when it gets its configuration",
          why: fields.join(", "),
          isOfApiServer: true,
        },
      ];
};

/**
 * Talos lays out a system volume only once. Its keys are made alike when the machine starts, by one that opens it then.
 *
 * Source: siderolabs/talos v1.13.9, syncKeys of internal/pkg/encryption/encryption.go.
 */
const volumes = (node: string, before: readonly MachineDocument[], after: readonly MachineDocument[]): Restart[] => {
  const closed = closedVolumes(before, after);
  const others = volumesThatDiffer(before, after).filter(({ name }) => !closed.includes(name));
  const list = (isAnother: boolean) =>
    others.filter(({ isLaidOutAnew }) => isLaidOutAnew === isAnother).map(({ name }) => name);
  const groups: [names: string[], restart: (names: string) => Omit<Restart, "node">][] = [
    [
      closed,
      (names) => ({ what: "cannot open its disks when it restarts", why: `other keys of ${names}`, isFatal: true }),
    ],
    [list(true), (names) => ({ what: "nothing until the volume is wiped and made anew", why: names })],
    [list(false), (names) => ({ what: "has them when it restarts", why: `other keys of ${names}` })],
  ];
  return groups.flatMap(([names, restart]) => (names.length === 0 ? [] : [{ node, ...restart(names.join(", ")) }]));
};

/** System volumes whose documents differ, and whether in more than their keys. */
const volumesThatDiffer = (before: readonly MachineDocument[], after: readonly MachineDocument[]) => {
  const named = (documents: readonly MachineDocument[]) =>
    new Map(
      documents
        .filter(({ kind }) => kind === "VolumeConfig")
        .map((each) => [`VolumeConfig ${String(each.name)}`, each]),
    );
  const [old, now] = [named(before), named(after)];
  const layout = (volume: MachineDocument | undefined) => ({ ...volume, encryption: undefined });
  return [...new Set([...old.keys(), ...now.keys()])]
    .filter((name) => !isDeepStrictEqual(old.get(name), now.get(name)))
    .map((name) => ({ name, isLaidOutAnew: !isDeepStrictEqual(layout(old.get(name)), layout(now.get(name))) }));
};

/** One text of patches: those of the document without a kind as one. While keys are not known, patches are all that can be compared. */
export const merged = (patches: readonly string[]): string => {
  const documents = patches.flatMap(documentsIn);
  const isMain = (document: MachineDocument): boolean => document.kind === undefined;
  const main = documents.filter(isMain).reduce<Record<string, unknown>>(combined, {});
  return [main, ...documents.filter((document) => !isMain(document))].map((each) => stringify(each)).join("---\n");
};

/** As Talos merges patches: objects by their keys, lists one after the other. */
const combined = (left: Record<string, unknown>, right: Record<string, unknown>): Record<string, unknown> => {
  const both = (one: unknown, other: unknown): unknown => {
    if (Array.isArray(one) && Array.isArray(other)) return [...(one as unknown[]), ...(other as unknown[])];
    const areObjects = [one, other].every((each) => typeof each === "object" && each !== null && !Array.isArray(each));
    return areObjects ? combined(section(one), section(other)) : other;
  };
  return Object.fromEntries(
    [...new Set([...Object.keys(left), ...Object.keys(right)])].map((key) => [
      key,
      !(key in right) ? left[key] : key in left ? both(left[key], right[key]) : right[key],
    ]),
  );
};
