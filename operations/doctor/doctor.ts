import type { Surroundings } from "./surroundings.ts";
import { firstLine, problem, type Finding } from "./finding.ts";

/** A subject of the examination: it reads, and says what was found. It changes nothing. */
export interface Subject {
  /** What it looks at, as its checks begin. */
  name: string;
  examine: (surroundings: Surroundings) => Promise<Finding[]>;
}

/** How long a subject may take, in milliseconds. All are examined at the same time. */
export const subjectTimeout = 12_000;

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

const within = async ({ name, examine: look }: Subject, surroundings: Surroundings, timeout: number) => {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<Finding[]>((resolve) => {
    timer = setTimeout(() => {
      const seconds = (timeout / 1000).toString();
      resolve([
        problem(
          name,
          `takes more than ${seconds} s to answer`,
          "look at the network between here and there, and run this again",
        ),
      ]);
    }, timeout);
  });
  const looked = look(surroundings).catch((error: unknown) => [
    problem(name, `cannot be examined: ${firstLine(error)}`, "mend that, and run this again"),
  ]);
  try {
    return await Promise.race([looked, late]);
  } finally {
    clearTimeout(timer);
  }
};
