/** A problem in the configuration that a person should fix. */
export interface ConfigurationProblem {
  path: PropertyKey[];
  /** What is wrong, beginning with the value if it may be shown. */
  problem: string;
  /** What to write instead. */
  advice: string;
  /** Whether the configuration may be right nevertheless. A warning does not fail the run. */
  warning?: boolean;
  /** Whether the file can be read, checked and tried in the lab, but not deployed. */
  undeployable?: boolean;
}

/**
 * Builds a schema's message: a predicate that begins with a verb, such as `is not an IPv4 address`, and what to write instead.
 *
 * The reporter puts the value before the predicate, if the value may be shown.
 */
export const says = (predicate: string, advice: string): string => `${predicate}\n${advice}`;

/** Thrown for a person's mistakes in the stack file. It reports all of them, each with its path and what to write instead. */
export class ConfigurationError extends Error {
  readonly problems: ConfigurationProblem[];

  constructor(stack: string, problems: ConfigurationProblem[]) {
    super(format(stackFile(stack), problems));
    this.name = "ConfigurationError";
    this.problems = problems;
  }
}

/** Returns the name of the stack's file. */
export const stackFile = (stack: string): string => `Pulumi.${stack}.yaml`;

/** Formats the problems of a file in two columns: the path on the left, the problem and the advice below it on the right. */
export const format = (file: string, problems: ConfigurationProblem[], noun = "problem"): string => {
  const paths = problems.map(({ path }) => path.map(String).join("."));
  const width = Math.max(...paths.map(({ length }) => length));
  const lines = problems.flatMap(({ problem, advice }, index) => [
    `  ${(paths[index] ?? "").padEnd(width)}   ${problem}`,
    ...(advice === "" ? [] : [`  ${" ".repeat(width)}   ${advice}`]),
  ]);
  return `${file} has ${count(problems.length, noun)}:\n\n${lines.join("\n")}\n`;
};

/** Formats a count: `1 problem`, `2 problems`. */
export const count = (number: number, noun: string): string => `${number} ${noun}${number === 1 ? "" : "s"}`;
