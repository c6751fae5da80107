import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { execa } from "execa";

import { Problem } from "../../toolchain/problem.ts";

/** The branches of a promotion, by name. */
export interface Branches {
  /** What the first stack follows. */
  source: string;
  /** What the promoted stack follows. */
  target: string;
}

/** The commits that a repository has for a promotion. */
export interface Commits {
  source: string | undefined;
  target: string | undefined;
  /** What the target was before its last promotion. */
  before: string | undefined;
  /** What the target was taken back from, and is not promoted to again by itself. */
  refused: string | undefined;
}

/** Disables Git's prompts: in a pipeline, a command would wait for an answer for ever. */
const quiet = { GIT_TERMINAL_PROMPT: "0", GIT_SSH_COMMAND: process.env.GIT_SSH_COMMAND ?? "ssh -o BatchMode=yes" };

/**
 * The branch that a promotion moves, through the git on PATH and the person's own credentials.
 *
 * What it was before, and what it was taken back from, are refs beside it, which move with it in one transaction. Each move is held to what was
 * read (`--force-with-lease`), so that two promotions at once do not undo each other. Source: Git 2.39, Documentation/git-push.txt.
 */
export class PromotedBranch {
  private constructor(
    private readonly folder: string,
    private readonly repository: string,
    private readonly refs: Record<keyof Commits, string>,
    readonly commits: Commits,
  ) {}

  /**
   * Reads the branches, and works with them.
   *
   * @param repository URL or path that Git fetches from and pushes to
   * @param stack name of the promoted stack
   */
  static async with<T>(
    repository: string,
    stack: string,
    { source, target }: Branches,
    work: (branch: PromotedBranch) => Promise<T>,
  ): Promise<T> {
    const folder = await mkdtemp(join(tmpdir(), "hearth-promote-"));
    try {
      const refs = {
        source: `refs/heads/${source}`,
        target: `refs/heads/${target}`,
        before: `refs/hearth/promotion/${stack}/before`,
        refused: `refs/hearth/promotion/${stack}/refused`,
      };
      await git(folder, repository, "init", "--quiet", "--bare");
      const listed = await git(folder, repository, "ls-remote", repository, ...Object.values(refs));
      const there = new Map(listed.split("\n").map((line) => line.split("\t").reverse() as [string, string]));
      const found = [...there.keys()].filter((ref) => ref.startsWith("refs/"));
      if (found.length > 0) {
        await git(folder, repository, "fetch", "--quiet", repository, ...found.map((ref) => `+${ref}:${ref}`));
      }
      const commits = {
        source: there.get(refs.source),
        target: there.get(refs.target),
        before: there.get(refs.before),
        refused: there.get(refs.refused),
      };
      return await work(new PromotedBranch(folder, repository, refs, commits));
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }

  /** The whole identifier of a commit of the branches; undefined if they have none of that name. */
  async commit(name: string): Promise<string | undefined> {
    return this.try("rev-parse", "--verify", "--quiet", "--end-of-options", `${name}^{commit}`);
  }

  /** Whether a commit is another one, or comes after it. */
  async descends(commit: string, ancestor: string): Promise<boolean> {
    return (await this.try("merge-base", "--is-ancestor", ancestor, commit)) !== undefined;
  }

  /** The commits between two, the newest first, each in a line. */
  async between(from: string, to: string): Promise<string[]> {
    const text = await this.try("log", "--format=%h %s", `${from}..${to}`);
    return (text ?? "").split("\n").filter((line) => line !== "");
  }

  /** Moves the branch on. */
  promote(to: string): Promise<void> {
    const { target } = this.commits;
    return this.move({ target: to, before: target, refused: undefined });
  }

  /** Moves the branch back, and keeps it from what it was. */
  back(to: string): Promise<void> {
    return this.move({ target: to, before: undefined, refused: this.commits.target });
  }

  private async move(to: Omit<Commits, "source">): Promise<void> {
    const keys = (["target", "before", "refused"] as const).filter((key) => to[key] !== this.commits[key]);
    await git(
      this.folder,
      this.repository,
      ...["push", "--quiet", "--atomic"],
      ...keys.map((key) => `--force-with-lease=${this.refs[key]}:${this.commits[key] ?? ""}`),
      this.repository,
      ...keys.map((key) => `${to[key] ?? ""}:${this.refs[key]}`),
    );
  }

  private async try(...args: string[]): Promise<string | undefined> {
    const { exitCode, stdout } = await execa("git", args, { cwd: this.folder, reject: false });
    return exitCode === 0 ? stdout.trim() : undefined;
  }
}

const git = async (cwd: string, repository: string, ...args: string[]): Promise<string> => {
  const { exitCode, stdout, stderr } = await execa("git", args, { cwd, env: quiet, reject: false });
  if (exitCode === 0) return stdout;
  if (stderr.includes("stale info")) {
    throw new Problem(
      `Somebody else moved the branch at ${repository} meanwhile, and nothing was changed: run this again`,
    );
  }
  const lines = stderr.trim().split("\n");
  const reason = lines.find((line) => /rejected|fatal|error/.test(line)) ?? lines.at(-1) ?? "";
  throw new Problem(`git ${args[0] ?? ""} at ${repository} failed: ${reason.trim()}. Look whether you may push there`);
};
