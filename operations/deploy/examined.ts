import { RunFailed } from "../../lib/engine/pulumi-stack.ts";
import type { FailedResource } from "../../lib/engine/report.ts";
import type { Target } from "../../lib/engine/target.ts";
import type { Display } from "../../lib/terminal/display.ts";
import { Problem } from "../../toolchain/problem.ts";
import { cloudflare } from "../doctor/cloudflare.ts";
import { examine, type Subject } from "../doctor/doctor.ts";
import { factory } from "../doctor/factory.ts";
import type { Finding } from "../doctor/finding.ts";
import { firewall } from "../doctor/firewall.ts";
import { git } from "../doctor/git.ts";
import { machines } from "../doctor/machines.ts";
import { network } from "../doctor/network.ts";
import { proxmox } from "../doctor/proxmox.ts";
import { todo } from "../doctor/report.ts";
import { apis, subjects } from "../doctor/subjects.ts";
import { surroundingsOf } from "../doctor/surroundings.ts";

/** Where a deployment takes place. */
export interface Place {
  target: Target;
  identities: string[];
  display: Display;
}

/**
 * Has the doctor look at the APIs that an update changes something with.
 *
 * @throws Problem with what is not ready there, and what to do
 */
export const requireReadyApis = async (place: Place): Promise<void> => {
  const found = await problemsIn(place, apis, "Asking Proxmox, the Image Factory and Cloudflare");
  if (found.length > 0) throw new Problem(notReady(place.target.stack, found));
};

/** Says which checks of the doctor would have told why a deployment failed. */
export const sayWhatIsBroken = async (place: Place, error: unknown): Promise<void> => {
  const failures = error instanceof RunFailed ? error.failures : [];
  const { nodes } = await place.target.config();
  const which = suspects(failures);
  const found = await problemsIn(place, which, "Looking for the reason");
  const told = about(error instanceof Error ? error.message : "", found, Object.keys(nodes));
  const isKnown = which.length < subjects.length;
  for (const line of brokenLines(place.target.stack, told, isKnown)) place.display.line(line);
};

const problemsIn = async (
  { target, identities, display }: Place,
  which: readonly Subject[],
  what: string,
): Promise<Finding[]> => {
  display.live(what);
  const surroundings = await surroundingsOf(target, identities);
  try {
    return (await examine(which, surroundings)).filter(({ is }) => is === "problem");
  } finally {
    await surroundings.internet.close();
    display.clear();
  }
};

/** Why a deployment does not begin. */
export const notReady = (stack: string, found: readonly Finding[]): string =>
  [
    "Nothing was changed, for an update would end half-way:",
    ...found.flatMap(todo),
    `npx hearth doctor ${stack} looks at everything. --unchecked deploys all the same.`,
  ].join("\n");

/** The subjects that tell why resources of a provider fail. Any other failure may have any reason. */
const reasonsOf: Readonly<Record<string, readonly Subject[]>> = {
  proxmoxve: [proxmox, factory],
  talos: [machines, network, firewall, factory],
  kubernetes: [machines, network, firewall],
  cloudflare: [cloudflare],
  github: [git],
};

/** The subjects that may tell why these resources failed; all if it is not known which did. */
export const suspects = (failures: readonly FailedResource[]): readonly Subject[] => {
  const reasons = failures.map(({ type }) => reasonsOf[type.split(":")[0] ?? ""]);
  if (reasons.length === 0 || reasons.includes(undefined)) return subjects;
  return subjects.filter((subject) => reasons.some((each) => each?.includes(subject)));
};

/** What was found, without what is of other machines than those that the failure names. */
export const about = (failure: string, found: readonly Finding[], machineNames: readonly string[]): Finding[] => {
  const namedIn = (text: string): string[] => machineNames.filter((name) => text.includes(name));
  const failed = namedIn(failure);
  return found.filter(({ check, found: what }) => {
    const named = namedIn(`${check} ${what}`);
    return failed.length === 0 || named.length === 0 || named.some((name) => failed.includes(name));
  });
};

/**
 * The checks that would have told of a failure; nothing where all is well.
 *
 * @param isKnown whether they are only of what failed
 */
export const brokenLines = (stack: string, found: readonly Finding[], isKnown: boolean): string[] =>
  found.length === 0
    ? []
    : [
        `npx hearth doctor ${stack} ${isKnown ? "would have told:" : "finds this now, which may be the reason:"}`,
        ...found.flatMap(todo),
      ];
