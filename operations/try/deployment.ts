import { announcedIn, completedIn, type AnnouncedStep } from "../deploy/step-lines.ts";
import type { TimedStep } from "./judge.ts";

/** A line of a deployment, with when it was said. */
export interface SaidLine {
  at: number;
  text: string;
}

/**
 * Returns the steps of a deployment that began, by what it said.
 *
 * A step lasts from the end of the one before it, or from the plan, until the deployment says that it is done.
 *
 * @param end when the deployment ended
 */
export const stepsSaid = (lines: readonly SaidLine[], end: number): TimedStep[] => {
  const announced: AnnouncedStep[] = [];
  const steps: TimedStep[] = [];
  let from = 0;
  for (const { at, text } of lines) {
    const step = announcedIn(text);
    if (step !== undefined) {
      announced.push(step);
      from = at;
    }
    const name = completedIn(text);
    const found = announced.find((each) => each.name === name);
    if (found === undefined) continue;
    steps.push({ ...found, from, to: at, isDone: true });
    from = at;
  }
  const next = announced[steps.length];
  return next === undefined ? steps : [...steps, { ...next, from, to: end, isDone: false }];
};
