/** Something about the configuration that a person should mend. */
export interface ConfigurationProblem {
  path: PropertyKey[];
  /** What is wrong, beginning with the value where it may be shown. */
  problem: string;
  /** What to write instead. */
  advice: string;
  /** Where true, it may be right all the same, and nothing is refused because of it. */
  warning?: boolean;
  /** Where true, the file can be read, checked and tried in the lab, but not deployed. */
  undeployable?: boolean;
}

/**
 * The message of a schema: a predicate that begins with a verb, such as `is not an IPv4 address`, and what to write instead.
 *
 * Whoever reports it puts the value before the predicate, where the value may be shown.
 */
export const says = (predicate: string, advice: string): string => `${predicate}\n${advice}`;

/** Thrown for a person's mistakes in the stack file: all of them at once, each with its path and what to write instead. */
export class ConfigurationError extends Error {
  readonly problems: ConfigurationProblem[];

  constructor(stack: string, problems: ConfigurationProblem[]) {
    super(format(stackFile(stack), problems));
    this.name = "ConfigurationError";
    this.problems = problems;
  }
}

/** The file that a person edits for a stack. */
export const stackFile = (stack: string): string => `Pulumi.${stack}.yaml`;

/** Problems of a file in two columns: where on the left; what, and under it what to do, on the right. */
export const format = (file: string, problems: ConfigurationProblem[], noun = "problem"): string => {
  const paths = problems.map(({ path }) => path.map(String).join("."));
  const width = Math.max(...paths.map(({ length }) => length));
  const lines = problems.flatMap(({ problem, advice }, index) => [
    `  ${(paths[index] ?? "").padEnd(width)}   ${problem}`,
    ...(advice === "" ? [] : [`  ${" ".repeat(width)}   ${advice}`]),
  ]);
  return `${file} has ${count(problems.length, noun)}:\n\n${lines.join("\n")}\n`;
};

/** A number of things: `1 problem`, `2 problems`. */
export const count = (number: number, noun: string): string => `${number} ${noun}${number === 1 ? "" : "s"}`;
