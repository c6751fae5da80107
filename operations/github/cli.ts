import { readFile } from "node:fs/promises";

import { RequestError } from "@octokit/request-error";

import type { Call } from "../../lib/terminal/command.ts";
import { codeOf, Problem } from "../../toolchain/problem.ts";
import { keepComment } from "./comment.ts";
import { fromEnvironment, type GitHubEnvironment } from "./github.ts";
import { closeIssue, keepIssue } from "./issue.ts";
import { unreviewed } from "./reviewed.ts";

interface GitHubFlags {
  name?: string | undefined;
  title?: string | undefined;
  "pull-request"?: string | undefined;
}

/**
 * Creates or updates a comment or an issue, or looks at environments.
 *
 * @throws Problem for a user's mistake, and if GitHub refuses a request
 */
export const github = async (call: Call<GitHubFlags>, env: GitHubEnvironment = process.env): Promise<number> => {
  const { values, print, complain, answer } = call;
  const [form, argument = ""] = call.args;
  try {
    if (form === "reviewed") {
      const problems = await Promise.all(call.args.slice(1).map((name) => unreviewed(fromEnvironment(env), name)));
      for (const problem of problems.flat()) complain(problem);
      answer({ problems: problems.flat() });
      return problems.flat().length > 0 ? 1 : 0;
    }
    const name = given(values.name, "--name");
    switch (form) {
      case "comment": {
        const number = Number(given(values["pull-request"], "--pull-request"));
        if (!Number.isInteger(number) || number < 1)
          throw new Problem("--pull-request is not a number: write one such as 12");
        const outcome = await keepComment(fromEnvironment(env), number, name, await read(argument));
        print(`Comment ${name}: ${outcome}`);
        answer({ comment: name, outcome });
        return 0;
      }
      case "issue": {
        const spec = { name, title: given(values.title, "--title"), text: await read(argument) };
        const outcome = await keepIssue(fromEnvironment(env), spec);
        print(`Issue ${name}: ${outcome}`);
        answer({ issue: name, outcome });
        return 0;
      }
      default: {
        const outcome = await closeIssue(fromEnvironment(env), name, argument);
        print(`Issue ${name}: ${outcome}`);
        answer({ issue: name, outcome });
        return 0;
      }
    }
  } catch (error) {
    throw refused(error);
  }
};

const given = (value: string | undefined, option: string): string => {
  if (value === undefined || value === "")
    throw new Problem(`${option} is missing: npx hearth github --help says what it takes`);
  return value;
};

const read = async (file: string): Promise<string> => {
  try {
    return await readFile(file, "utf8");
  } catch (error) {
    throw new Problem(`${file} cannot be read (${codeOf(error) ?? "?"})`);
  }
};

/** Explains an error of GitHub, with what to do about it. */
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
