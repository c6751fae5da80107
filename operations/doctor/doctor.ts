import type { Surroundings } from "./surroundings.ts";
import { knownWithin, problem, type Finding } from "./finding.ts";

/** A subject of the examination: it reads, and says what was found. It changes nothing. */
export interface Subject {
  /** What it looks at, as its checks begin. */
  name: string;
  examine: (surroundings: Surroundings) => Promise<Finding[]>;
}

/** How long a subject may take, in milliseconds. All are examined at the same time. */
export const subjectTimeout = 10_000;

/**
 * Examines all subjects at the same time. One that fails or takes too long is a problem of its own, and keeps no other from being told.
 *
 * @param timeout of each, in milliseconds
 */
export const examine = async (
  subjects: readonly Subject[],
  surroundings: Surroundings,
  timeout = subjectTimeout,
): Promise<Finding[]> => {
  const found = await Promise.all(subjects.map((subject) => within(subject, surroundings, timeout)));
  return found.flat();
};

const within = async (
  { name, examine: look }: Subject,
  surroundings: Surroundings,
  timeout: number,
): Promise<Finding[]> => {
  const found = await knownWithin(timeout, () => look(surroundings));
  if ("value" in found) return found.value;
  return [
    problem(name, `cannot be examined: ${found.why}`, "mend that, or look at the network between, and run this again"),
  ];
};
