import type { Target } from "../../lib/engine/target.ts";
import type { Display } from "../../lib/terminal/display.ts";
import { Problem } from "../../toolchain/problem.ts";
import { examine, type Subject } from "../doctor/doctor.ts";
import type { Finding } from "../doctor/finding.ts";
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

/** Says what the doctor finds after a deployment has failed, which may be why. */
export const sayWhatIsBroken = async (place: Place): Promise<void> => {
  const found = await problemsIn(place, subjects, "Looking for the reason");
  for (const line of brokenLines(place.target.stack, found)) place.display.line(line);
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

/** What the doctor finds after a failure; nothing where all is well. */
export const brokenLines = (stack: string, found: readonly Finding[]): string[] =>
  found.length === 0 ? [] : [`npx hearth doctor ${stack} would have told:`, ...found.flatMap(todo)];
