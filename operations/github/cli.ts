import { readFile } from "node:fs/promises";

import { RequestError } from "@octokit/request-error";

import { readArguments } from "../../toolchain/arguments.ts";
import { codeOf, Problem } from "../../toolchain/problem.ts";
import { keepComment } from "./comment.ts";
import { fromEnvironment, type GitHubEnvironment } from "./github.ts";
import { closeIssue, keepIssue } from "./issue.ts";

const usage = `Usage: npm run github -- COMMAND

  comment --pull-request NUMBER --name NAME FILE   keep one comment of that name on a pull request
  issue --name NAME --title TITLE FILE             keep one open issue of that name
  close --name NAME REASON                         close the issue of that name, where one is open

FILE holds Markdown. GITHUB_TOKEN and GITHUB_REPOSITORY say whose and where.`;

const options = {
  name: { type: "string" },
  title: { type: "string" },
  "pull-request": { type: "string" },
} as const;

/**
 * Runs one command.
 *
 * @returns its exit code
 * @throws Problem for a person's mistake, and for what GitHub refuses
 */
export const cli = async (
  args: string[],
  env: GitHubEnvironment,
  print: (text: string) => void = console.log,
): Promise<number> => {
  const { positionals, values } = readArguments(args, options, usage);
  const [command, argument = "", ...others] = positionals;
  if (values.help === true) {
    print(usage);
    return 0;
  }
  if (others.length > 0 || argument === "") throw new Problem(usage);
  const name = given(values.name, "--name");
  try {
    switch (command) {
      case "comment": {
        const number = Number(given(values["pull-request"], "--pull-request"));
        if (!Number.isInteger(number) || number < 1)
          throw new Problem("--pull-request is not a number: write one such as 12");
        const text = await read(argument);
        print(`Comment ${name}: ${await keepComment(fromEnvironment(env), number, name, text)}`);
        return 0;
      }
      case "issue": {
        const spec = { name, title: given(values.title, "--title"), text: await read(argument) };
        print(`Issue ${name}: ${await keepIssue(fromEnvironment(env), spec)}`);
        return 0;
      }
      case "close":
        print(`Issue ${name}: ${await closeIssue(fromEnvironment(env), name, argument)}`);
        return 0;
      default:
        throw new Problem(usage);
    }
  } catch (error) {
    throw refused(error);
  }
};

const given = (value: string | undefined, option: string): string => {
  if (value === undefined || value === "") throw new Problem(`${option} is missing\n\n${usage}`);
  return value;
};

const read = async (file: string): Promise<string> => {
  try {
    return await readFile(file, "utf8");
  } catch (error) {
    throw new Problem(`${file} cannot be read (${codeOf(error) ?? "?"})`);
  }
};

/** What GitHub answers, with what to do about it. */
const refused = (error: unknown): unknown => {
  if (!(error instanceof RequestError)) return error;
  const advice: Record<number, string> = {
    401: "GITHUB_TOKEN is not valid: pass the workflow's own",
    403: "the token may not do this: give the job pull-requests: write or issues: write under permissions",
    404: "the repository or the number does not exist, or the token may not see it",
  };
  return new Problem(
    `GitHub answers ${error.status} (${error.message.split("\n")[0] ?? ""}): ${advice[error.status] ?? "try again later"}`,
  );
};
