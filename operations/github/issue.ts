import { markedBody, markerOf } from "./body.ts";
import type { GitHub } from "./github.ts";

/** The outcome for an issue. */
export type IssueOutcome = "opened" | "updated" | "unchanged" | "closed" | "none";

export interface IssueSpec {
  /** Name that identifies the issue, such as `drift dev`. */
  name: string;
  title: string;
  /** In Markdown. */
  text: string;
}

/** Keeps one open issue with a name: opens it if there is none, and otherwise updates it. */
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

/** Closes the open issue with a name, if there is one, and gives the reason. */
export const closeIssue = async (github: GitHub, name: string, reason: string): Promise<IssueOutcome> => {
  const { api, repository } = github;
  const open = await openIssue(github, name);
  if (open === undefined) return "none";
  await api.issues.createComment({ ...repository, issue_number: open.number, body: reason });
  await api.issues.update({ ...repository, issue_number: open.number, state: "closed", state_reason: "completed" });
  return "closed";
};

/** The open issue with a name that this account wrote. */
const openIssue = async ({ api, repository, login }: GitHub, name: string) => {
  const issues = await api.paginate(api.issues.listForRepo, {
    ...repository,
    state: "open",
    creator: login,
    per_page: 100,
  });
  return issues.find((issue) => issue.pull_request === undefined && issue.body?.startsWith(markerOf(name)));
};
