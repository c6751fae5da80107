/** A person's mistake in the configuration. */
export interface ConfigurationProblem {
  path: PropertyKey[];
  /** What is wrong, beginning with the value where it may be shown. */
  problem: string;
  /** What to write instead. */
  advice: string;
}

/** One message of a schema: what is wrong, and on a line of its own what to write instead. */
export const says = (problem: string, advice: string): string => `${problem}\n${advice}`;

/** Thrown for a person's mistakes in the stack file: all of them at once, each with its path and what to write instead. */
export class ConfigurationError extends Error {
  constructor(
    readonly stackName: string,
    readonly problems: ConfigurationProblem[],
  ) {
    super(format(`Pulumi.${stackName}.yaml`, problems));
    this.name = "ConfigurationError";
  }
}

/** Problems in two columns: where on the left; what, and under it what to do, on the right. */
export const format = (file: string, problems: ConfigurationProblem[]): string => {
  const count = problems.length === 1 ? "1 problem" : `${problems.length} problems`;
  const paths = problems.map(({ path }) => path.map(String).join("."));
  const width = Math.max(...paths.map(({ length }) => length));
  const lines = problems.flatMap(({ problem, advice }, index) => [
    `  ${paths[index]?.padEnd(width) ?? ""}   ${problem}`,
    ...(advice ? [`  ${" ".repeat(width)}   ${advice}`] : []),
  ]);
  return `${file} has ${count}:\n\n${lines.join("\n")}\n`;
};
