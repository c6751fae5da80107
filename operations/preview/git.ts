import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { execa } from "execa";

import { codeOf, Problem } from "../../toolchain/problem.ts";

/** A checkout, and what its history says. */
export class Git {
  constructor(private readonly root: string) {}

  /** The commit that is checked out, shortened. */
  async head(): Promise<string> {
    return (await this.ask("rev-parse", "--short=10", "HEAD")) ?? "";
  }

  /** Whether files were changed since the commit that is checked out. */
  async isDirty(): Promise<boolean> {
    return (await this.ask("status", "--porcelain")) !== "";
  }

  /**
   * Returns the last commit that the checkout shares with a branch.
   *
   * @param refs names of the branch; the first existing one counts
   */
  async mergeBase(refs: readonly string[]): Promise<string | undefined> {
    for (const ref of refs) {
      const commit = await this.ask("merge-base", "HEAD", ref);
      if (commit !== undefined) return commit;
    }
    return undefined;
  }

  /** Whether this commit is checked out and no file is changed. */
  async isAt(commit: string): Promise<boolean> {
    return (await this.ask("rev-parse", "HEAD")) === commit && !(await this.isDirty());
  }

  /** Checks a commit out into a temporary folder while the work runs. */
  async withCheckout<T>(commit: string, work: (folder: string) => Promise<T>): Promise<T> {
    const parent = await mkdtemp(join(tmpdir(), "hearth-base-"));
    const folder = join(parent, "checkout");
    try {
      await this.demand("worktree", "add", "--quiet", "--detach", folder, commit);
      return await work(folder);
    } finally {
      await this.ask("worktree", "remove", "--force", folder);
      await rm(parent, { recursive: true, force: true });
    }
  }

  private async ask(...args: string[]): Promise<string | undefined> {
    const { exitCode, stdout } = await execa("git", args, { cwd: this.root, reject: false });
    return exitCode === 0 ? stdout.trim() : undefined;
  }

  private async demand(...args: string[]): Promise<void> {
    try {
      await execa("git", args, { cwd: this.root });
    } catch (error) {
      if (codeOf(error) === "ENOENT") throw new Problem("Git is missing: install it");
      const { stderr = "" } = error as { stderr?: string };
      throw new Problem(`git ${args.join(" ")} failed: ${stderr.trim()}`);
    }
  }
}
