import { duration } from "../../lib/terminal/display.ts";
import type { Step } from "../../lib/rollout/step.ts";

/** What a deployment says of a step beforehand. */
export type AnnouncedStep = Pick<Step, "name" | "what" | "out">;

/** The line by which a deployment announces a step. */
export const announcement = ({ name, what, out }: AnnouncedStep): string => `${name}: ${what}. Out of service: ${out}`;

/** The line that says that a step is done. */
export const completion = (number: string, { name }: Pick<Step, "name">, seconds: number): string =>
  `${number}: ${name} done after ${duration(seconds)}`;

/** The step that a line announces; undefined for any other line. */
export const announcedIn = (line: string): AnnouncedStep | undefined => {
  const [, name, what, out] = /^\s+([a-z]+(?:\/\S+)?): (.+)\. Out of service: (.+)$/.exec(line) ?? [];
  return name === undefined || what === undefined || out === undefined ? undefined : { name, what, out };
};

/** The name of the step that a line says is done; undefined for any other line. */
export const completedIn = (line: string): string | undefined => /^Step \d+ of \d+: (\S+) done after /.exec(line)?.[1];
