import { markedBody, markerOf } from "./body.ts";
import type { GitHub } from "./github.ts";

/** What became of an issue. */
export type IssueOutcome = "opened" | "updated" | "unchanged" | "closed" | "none";

export interface IssueSpec {
  /** By which the issue is found again, such as `drift dev`. */
  name: string;
  title: string;
  /** In Markdown. */
  text: string;
}

/** Keeps one open issue of a name: opens it where there is none, and otherwise says in it what is so by now. */
export const keepIssue = async (github: GitHub, { name, title, text }: IssueSpec): Promise<IssueOutcome> => {
  const { api, repository } = github;
  const body = markedBody(name, text);
  const open = await openIssue(github, name);
  if (open === undefined) {
    await api.issues.create({ ...repository, title, body });
    return "opened";
  }
  if (open.body === body && open.title === title) return "unchanged";
  await api.issues.update({ ...repository, issue_number: open.number, title, body });
  return "updated";
};

/** Closes the issue of a name, saying why, where there is an open one. */
export const closeIssue = async (github: GitHub, name: string, reason: string): Promise<IssueOutcome> => {
  const { api, repository } = github;
  const open = await openIssue(github, name);
  if (open === undefined) return "none";
  await api.issues.createComment({ ...repository, issue_number: open.number, body: reason });
  await api.issues.update({ ...repository, issue_number: open.number, state: "closed", state_reason: "completed" });
  return "closed";
};

/** The open issue of a name that this account wrote. */
const openIssue = async ({ api, repository, login }: GitHub, name: string) => {
  const issues = await api.paginate(api.issues.listForRepo, {
    ...repository,
    state: "open",
    creator: login,
    per_page: 100,
  });
  return issues.find((issue) => issue.pull_request === undefined && issue.body?.startsWith(markerOf(name)));
};
