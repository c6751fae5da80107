import { announcedIn, completedIn, type AnnouncedStep } from "../deploy/step-lines.ts";
import { machineOf, type TimedStep } from "./judge.ts";

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

/**
 * Returns the steps of a deployment that was ended and run again, perhaps several times.
 *
 * A step that was not done lasts until the next step about its machine is, for its machine may be out of service until then.
 *
 * @param runs the steps of each run
 */
export const resumed = (runs: readonly (readonly TimedStep[])[]): TimedStep[] => {
  const steps: TimedStep[] = [];
  for (const step of runs.flat()) {
    const before = steps.findIndex((each) => !each.isDone && machineOf(each) === machineOf(step));
    if (before === -1) steps.push(step);
    else steps.splice(before, 1, { ...step, from: steps[before]?.from ?? step.from });
  }
  return steps;
};

/** How many steps are done in several runs. */
export const doneIn = (runs: readonly (readonly TimedStep[])[]): number =>
  runs.flat().filter(({ isDone }) => isDone).length;

/** When a deployment is killed. */
export interface Kill {
  /** How many steps are done by then, from the first run on. */
  done: number;
  /** Milliseconds after the last of them, or after the plan. */
  after: number;
}

/** How long a step runs before it is killed within, in milliseconds. */
const within = 15_000;

/** Kills at each boundary of a deployment's steps and within each step, however many it has. */
export function* everywhere(): Generator<Kill, never> {
  for (let done = 0; ; done += 1)
    yield* [
      { done, after: 0 },
      { done, after: within },
    ];
}

/** Reads lines, which are given one by one. At the one that says that the last of some steps is done, returns when to kill. */
export const killedAt = ({ done, after }: Kill): ((text: string) => number | undefined) => {
  let [announced, completed] = [0, 0];
  return (text) => {
    if (announcedIn(text) !== undefined) announced += 1;
    if (completedIn(text) !== undefined) completed += 1;
    return announced > 0 && completed >= done ? after : undefined;
  };
};
