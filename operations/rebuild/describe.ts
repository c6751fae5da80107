import { duration } from "../../lib/terminal/display.ts";
import type { Entry } from "../../lib/recovery/journal.ts";
import { wipedWith, type Plan } from "../../lib/recovery/plan.ts";
import { phasesOf } from "./rebuild.ts";

/**
 * Describes an interrupted rebuild. Its plan stays valid, because the rebuild itself caused half of the present situation. The
 * description shows its age.
 */
export const describePending = ({ stack, begun, done, plan }: Entry, now = Date.now()): string => {
  const pending = phasesOf(plan).filter(({ name }) => done[name] === undefined);
  const age = duration((now - Date.parse(begun)) / 1000);
  return [
    `Going on with the rebuild of ${stack} that began ${begun}, ${age} ago; done so far: ${Object.keys(done).join(", ") || "nothing"}`,
    ...(plan.loss.machines.length > 0 ? [`  made anew       ${plan.loss.machines.join(", ")}`] : []),
    ...pending.map(({ title }) => `  pending         ${title}`),
    "  --restart forgets that, and looks at everything anew",
  ].join("\n");
};

/** Describes what a plan still wipes or forgets beyond what is already lost; undefined if nothing. */
export const describeLosses = (plan: Plan, done: Entry["done"] = {}): string | undefined => {
  const { wipes, losesVolumes } = plan;
  const losses = [
    ...(wipes.length > 0 && done.wipe === undefined
      ? [`wipes what is left of etcd on ${wipes.join(", ")}, with ${wipedWith(plan)}`]
      : []),
    ...(losesVolumes && done.volumes === undefined
      ? ["forgets the claims, volumes and databases that were on the machines' disks"]
      : []),
  ];
  return losses.length === 0 ? undefined : `This ${losses.join(", and ")}.`;
};
