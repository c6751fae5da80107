import { Octokit } from "@octokit/rest";
import { retry } from "@octokit/plugin-retry";

import { Problem } from "../../toolchain/problem.ts";

/** A repository at GitHub, and an account that may write to it. */
export interface GitHub {
  api: Octokit;
  repository: { owner: string; repo: string };
  /** Name of the account, which identifies its own comments. */
  login: string;
}

/** Environment variables that GitHub Actions sets, and `GITHUB_TOKEN`, which a workflow passes on. */
export type GitHubEnvironment = Partial<
  Record<"GITHUB_API_URL" | "GITHUB_REPOSITORY" | "GITHUB_TOKEN" | "GITHUB_LOGIN", string>
>;

const RetryingOctokit = Octokit.plugin(retry);

/**
 * Reads the repository from the environment.
 *
 * `GITHUB_LOGIN` is the token's account. It defaults to that of GitHub Actions' own token, which cannot request its name.
 *
 * @throws Problem that names the missing variable
 */
export const fromEnvironment = (env: GitHubEnvironment): GitHub => {
  const token = required(env, "GITHUB_TOKEN");
  const [owner = "", repo = ""] = required(env, "GITHUB_REPOSITORY").split("/");
  return {
    api: new RetryingOctokit({
      auth: token,
      baseUrl: env.GITHUB_API_URL ?? "https://api.github.com",
      // The error already reports what went wrong; the log would repeat it.
      log: { debug: nothing, info: nothing, warn: nothing, error: nothing },
    }),
    repository: { owner, repo },
    login: env.GITHUB_LOGIN ?? "github-actions[bot]",
  };
};

const nothing = (): void => undefined;

const required = (env: GitHubEnvironment, name: keyof GitHubEnvironment): string => {
  const value = env[name];
  if (value === undefined || value === "") {
    throw new Problem(`${name} is not set: GitHub Actions sets it, and by hand it is set in the environment`);
  }
  return value;
};

/** Maximum number of characters in the body of a comment or an issue. Source: GitHub's error "body is too long". */
export const longestBody = 65_536;
