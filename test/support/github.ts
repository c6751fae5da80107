import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** The owner of a token, and the token's permissions. */
export interface Account {
  login: string;
  permissions: ("issues" | "pull-requests")[];
}

interface Comment {
  id: number;
  issue: number;
  user: { login: string };
  body: string;
}

interface Issue {
  number: number;
  title: string;
  body: string;
  state: "open" | "closed";
  user: { login: string };
  pull_request?: object;
}

/** An environment, as a person has set it up. */
interface Environment {
  reviewers: string[];
  /** Names of the branches that may deploy to it; undefined for all. */
  branches?: string[];
}

type Body = Record<string, unknown>;

/** An error response in GitHub's words. */
class Refusal extends Error {
  constructor(
    readonly status: number,
    message: string,
    readonly headers: Record<string, string> = {},
  ) {
    super(message);
  }
}

/**
 * GitHub's API of issues, comments and environments for one repository, over HTTP. It is as strict as the real one about tokens,
 * permissions, paths, bodies and pages.
 *
 * Source: GitHub REST API, version 2022-11-28, "Issues", "Issue comments" and "Deployment environments".
 */
export class GitHubSimulator {
  readonly comments: Comment[] = [];
  readonly issues: Issue[] = [];
  readonly environments: Record<string, Environment> = {};
  /** Methods and paths of the requests that changed something, in order. */
  readonly writes: string[] = [];
  /** Responses to give to the next requests. */
  readonly faults: { status: number; headers?: Record<string, string> }[] = [];
  private readonly server = createServer((request, response) => void this.serve(request, response));
  private next = 1000;

  constructor(
    private readonly repository: string,
    private readonly accounts: Record<string, Account>,
  ) {}

  async start(): Promise<string> {
    await new Promise<void>((resolve) => this.server.listen(0, "127.0.0.1", resolve));
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  stop(): void {
    this.server.close();
    this.server.closeAllConnections();
  }

  /** Adds an issue or a pull request. */
  open(number: number, login: string, isPullRequest = false, body = ""): void {
    this.issues.push({
      number,
      title: `Number ${number}`,
      body,
      state: "open",
      user: { login },
      ...(isPullRequest && { pull_request: {} }),
    });
  }

  /** Adds a comment. */
  say(issue: number, login: string, body: string): void {
    this.comments.push({ id: this.next++, issue, user: { login }, body });
  }

  private async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const answer = (status: number, body: unknown, headers: Record<string, string> = {}): void => {
      response.writeHead(status, { "content-type": "application/json; charset=utf-8", ...headers });
      response.end(JSON.stringify(body));
    };
    try {
      const fault = this.faults.shift();
      if (fault) throw new Refusal(fault.status, "Something went wrong", fault.headers);
      const account = this.authenticate(request);
      const text = Buffer.concat(chunks).toString();
      const url = new URL(request.url ?? "/", "http://localhost");
      const { status, body, headers } = this.route(
        request.method ?? "",
        url,
        text === "" ? {} : (JSON.parse(text) as Body),
        account,
      );
      if (request.method !== "GET") this.writes.push(`${request.method ?? ""} ${url.pathname}`);
      answer(status, body, headers);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      answer(error.status, { message: error.message, status: String(error.status) }, error.headers);
    }
  }

  private authenticate({ headers }: IncomingMessage): Account {
    const [, token = ""] = /^(?:token|bearer) (.+)$/i.exec(headers.authorization ?? "") ?? [];
    const account = this.accounts[token];
    if (!account) throw new Refusal(401, "Bad credentials");
    if (headers["user-agent"] === undefined) throw new Refusal(403, "Request forbidden by administrative rules");
    return account;
  }

  private environment(path: string) {
    const [, name = "", policies] = /^\/([^/]+)(\/deployment-branch-policies)?$/.exec(path) ?? [];
    const found = this.environments[name];
    if (!found) throw new Refusal(404, "Not Found");
    const { reviewers, branches } = found;
    const of = (type: string, more: object = {}) => ({ id: 1, node_id: "x", type, ...more });
    const rules = [
      ...(branches === undefined ? [] : [of("branch_policy")]),
      ...(reviewers.length === 0
        ? []
        : [of("required_reviewers", { reviewers: reviewers.map((login) => ({ type: "User", reviewer: { login } })) })]),
    ];
    const policy = branches === undefined ? null : { protected_branches: false, custom_branch_policies: true };
    const listed = (branches ?? []).map((each, id) => ({ id, name: each, type: "branch" }));
    const answer =
      policies === undefined
        ? { id: 1, name, protection_rules: rules, deployment_branch_policy: policy }
        : { total_count: listed.length, branch_policies: listed };
    return { status: 200, body: answer, headers: {} };
  }

  private route(method: string, url: URL, body: Body, account: Account) {
    const environments = `/repos/${this.repository}/environments`;
    if (method === "GET" && url.pathname.startsWith(environments)) {
      return this.environment(url.pathname.slice(environments.length));
    }
    const prefix = `/repos/${this.repository}/issues`;
    if (!url.pathname.startsWith(prefix)) throw new Refusal(404, "Not Found");
    const rest = url.pathname.slice(prefix.length);
    const [, number] = /^\/(\d+)(?:\/comments)?$/.exec(rest) ?? [];
    const [, comment] = /^\/comments\/(\d+)$/.exec(rest) ?? [];
    switch (`${method} ${rest.replaceAll(/\d+/g, "N")}`) {
      case "GET ":
        return this.page(url, this.listed(url));
      case "POST ":
        return { status: 201, body: this.createIssue(body, account), headers: {} };
      case "PATCH /N":
        return { status: 200, body: this.updateIssue(Number(number), body, account), headers: {} };
      case "GET /N/comments":
        this.issue(Number(number));
        return this.page(
          url,
          this.comments.filter(({ issue }) => issue === Number(number)),
        );
      case "POST /N/comments":
        return { status: 201, body: this.createComment(Number(number), body, account), headers: {} };
      case "PATCH /comments/N":
        return { status: 200, body: this.updateComment(Number(comment), body, account), headers: {} };
      default:
        throw new Refusal(404, "Not Found");
    }
  }

  private listed({ searchParams }: URL): Issue[] {
    const state = searchParams.get("state") ?? "open";
    const creator = searchParams.get("creator");
    return this.issues
      .filter((issue) => state === "all" || issue.state === state)
      .filter((issue) => creator === null || issue.user.login === creator);
  }

  /** A page of a list, with a link to the next one. */
  private page(url: URL, all: unknown[]) {
    const size = Math.min(Number(url.searchParams.get("per_page") ?? 30), 100);
    const page = Number(url.searchParams.get("page") ?? 1);
    const next = new URL(`http://${this.host}${url.pathname}${url.search}`);
    next.searchParams.set("page", String(page + 1));
    const headers: Record<string, string> = page * size < all.length ? { link: `<${next.href}>; rel="next"` } : {};
    return { status: 200, body: all.slice((page - 1) * size, page * size), headers };
  }

  private get host(): string {
    return `127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  private issue(number: number): Issue {
    const issue = this.issues.find((each) => each.number === number);
    if (!issue) throw new Refusal(404, "Not Found");
    return issue;
  }

  private createIssue(body: Body, account: Account): Issue {
    this.permit(account, "issues");
    if (typeof body.title !== "string" || body.title === "") throw new Refusal(422, "Validation Failed");
    const issue: Issue = {
      number: this.next++,
      title: body.title,
      body: text(body),
      state: "open",
      user: { login: account.login },
    };
    this.issues.push(issue);
    return issue;
  }

  private updateIssue(number: number, body: Body, account: Account): Issue {
    this.permit(account, "issues");
    const issue = this.issue(number);
    if (body.state !== undefined && body.state !== "open" && body.state !== "closed") {
      throw new Refusal(422, "Validation Failed");
    }
    if (typeof body.title === "string") issue.title = body.title;
    if (body.body !== undefined) issue.body = text(body);
    issue.state = body.state ?? issue.state;
    return issue;
  }

  private createComment(number: number, body: Body, account: Account): Comment {
    this.permit(account, this.issue(number).pull_request ? "pull-requests" : "issues");
    const comment = { id: this.next++, issue: number, user: { login: account.login }, body: text(body) };
    this.comments.push(comment);
    return comment;
  }

  private updateComment(id: number, body: Body, account: Account): Comment {
    const comment = this.comments.find((each) => each.id === id);
    if (!comment) throw new Refusal(404, "Not Found");
    this.permit(account, this.issue(comment.issue).pull_request ? "pull-requests" : "issues");
    comment.body = text(body);
    return comment;
  }

  private permit({ permissions }: Account, needed: Account["permissions"][number]): void {
    if (!permissions.includes(needed)) throw new Refusal(403, "Resource not accessible by integration");
  }
}

/** Validates the body of a comment or an issue, whose length GitHub limits. */
const text = ({ body }: Body): string => {
  if (typeof body !== "string" || body === "") throw new Refusal(422, "Validation Failed");
  if (body.length > 65_536) throw new Refusal(422, "Validation Failed: body is too long (maximum is 65536 characters)");
  return body;
};
