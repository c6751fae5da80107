import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { execa } from "execa";

import { codeOf, Problem } from "../../toolchain/problem.ts";

/** A checkout, and what its history says. */
export class Git {
  constructor(readonly root: string) {}

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

  /** The whole identifier of a commit; undefined if there is none of that name. */
  commit(ref: string): Promise<string | undefined> {
    return this.ask("rev-parse", "--verify", "--quiet", "--end-of-options", `${ref}^{commit}`);
  }

  /** Paths that differ between two commits. */
  async changedFiles(from: string, to: string): Promise<string[]> {
    return words(await this.demand("diff", "--name-only", "--no-renames", "-z", from, to));
  }

  /** All files of a commit, with Git's mode of each. */
  async entries(commit: string): Promise<{ path: string; mode: string }[]> {
    return words(await this.demand("ls-tree", "-r", "-z", "--full-tree", commit)).map((line) => {
      const tab = line.indexOf("\t");
      return { path: line.slice(tab + 1), mode: line.slice(0, line.indexOf(" ")) };
    });
  }

  /** A file of a commit; undefined if the commit has none of that name. */
  async file(commit: string, path: string): Promise<string | undefined> {
    const { exitCode, stdout } = await execa("git", ["cat-file", "blob", `${commit}:${path}`], {
      cwd: this.root,
      reject: false,
      stripFinalNewline: false,
    });
    return exitCode === 0 ? stdout : undefined;
  }

  /** Paths whose files are not those of the commit that is checked out, new ones included. */
  async changes(): Promise<string[]> {
    const status = ["status", "--porcelain", "-z", "--no-renames", "--untracked-files=all", "--ignored=no"];
    return words(await this.demand(...status)).map((line) => line.slice("XY ".length));
  }

  /** Gives files the content that they have in a commit, and removes those that it does not have. */
  async take(commit: string, paths: readonly string[]): Promise<void> {
    await execa(
      "git",
      [
        "--literal-pathspecs",
        "restore",
        `--source=${commit}`,
        "--staged",
        "--worktree",
        "--pathspec-from-file=-",
        "--pathspec-file-nul",
      ],
      { cwd: this.root, input: paths.join("\0") },
    );
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

  private async demand(...args: string[]): Promise<string> {
    try {
      return (await execa("git", args, { cwd: this.root, maxBuffer: 1 << 28 })).stdout;
    } catch (error) {
      if (codeOf(error) === "ENOENT") throw new Problem("Git is missing: install it");
      const { stderr = "" } = error as { stderr?: string };
      throw new Problem(`git ${args.join(" ")} failed: ${stderr.trim()}`);
    }
  }
}

/** The words of a list that ends each with a zero byte. */
const words = (text: string): string[] => text.split("\0").filter((word) => word !== "");
