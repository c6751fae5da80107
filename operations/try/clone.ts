import { copyFile, lstat, mkdir, readFile, readlink, rm, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { execa } from "execa";

import { stackFile } from "../../infra/config/error.ts";
import { codeOf, Problem } from "../../toolchain/problem.ts";
import { movedAside } from "./addresses.ts";

/** A clone of a checkout, in which one commit after the other is deployed to a lab of its own. */
export class Clone {
  private clones = 0;

  private constructor(
    private readonly origin: string,
    /** The clone's root. */
    readonly root: string,
    private readonly stack: string,
  ) {}

  /** Clones a checkout into a folder that does not exist. It shares the objects of the checkout. */
  static async create(origin: string, root: string, stack: string): Promise<Clone> {
    await mkdir(join(root, ".."), { recursive: true });
    await git(origin, ["clone", "--quiet", "--shared", "--no-checkout", origin, root]);
    return new Clone(origin, root, stack);
  }

  /** The last commit that the checkout shares with a branch, the first of several that exists. @throws Problem if there is none */
  async base(refs: readonly string[]): Promise<string> {
    for (const ref of refs) {
      const { exitCode, stdout } = await execa("git", ["merge-base", "HEAD", ref], { cwd: this.origin, reject: false });
      if (exitCode === 0) return stdout.trim();
    }
    throw new Problem(
      `There is no commit that the checkout shares with ${refs.join(" or ")}: fetch that branch, with its history, or name another one with --base`,
    );
  }

  /**
   * The checkout as it is, as a commit of the clone: with what is not committed, and without what Git ignores. The checkout, its index
   * and its objects stay as they are.
   */
  async present(): Promise<{ commit: string; isCommitted: boolean }> {
    const { origin, root } = this;
    const env = {
      GIT_INDEX_FILE: join(root, ".git", "present.index"),
      GIT_OBJECT_DIRECTORY: join(root, ".git", "objects"),
    };
    await git(origin, ["read-tree", "HEAD"], env);
    await git(origin, ["add", "--all"], env);
    // A link to packages is no folder of packages, which Git ignores.
    await git(origin, ["rm", "-r", "--force", "--cached", "--quiet", "--ignore-unmatch", "node_modules"], env);
    const [tree, head, committed] = await Promise.all([
      git(origin, ["write-tree"], env),
      git(origin, ["rev-parse", "HEAD"]),
      git(origin, ["rev-parse", "HEAD^{tree}"]),
    ]);
    if (tree === committed) return { commit: head, isCommitted: true };
    const author = { GIT_AUTHOR_NAME: "Hearth", GIT_AUTHOR_EMAIL: "hearth@localhost" };
    const committer = { GIT_COMMITTER_NAME: "Hearth", GIT_COMMITTER_EMAIL: "hearth@localhost" };
    const message = "Changes that are not committed";
    const commit = await git(root, ["commit-tree", tree, "-p", head, "-m", message], { ...author, ...committer });
    return { commit, isCommitted: false };
  }

  /** The paths that differ between two commits. */
  async changed(from: string, to: string): Promise<string[]> {
    return (await git(this.root, ["diff", "--name-only", "-z", from, to])).split("\0").filter((path) => path !== "");
  }

  /**
   * Makes a commit that changes the stack file of another one.
   *
   * @param change gets the whole text, and returns another one
   */
  async edited(commit: string, message: string, change: (text: string) => string): Promise<string> {
    const { root, stack } = this;
    const path = stackFile(stack);
    await git(root, ["checkout", "--quiet", "--force", "--detach", commit]);
    await writeFile(join(root, path), change(await readFile(join(root, path), "utf8")));
    const author = ["-c", "user.name=Hearth", "-c", "user.email=hearth@localhost"];
    await git(root, [...author, "commit", "--quiet", "--message", message, "--", path]);
    return git(root, ["rev-parse", "HEAD"]);
  }

  /** Checks a commit out, with the addresses of its stack file moved aside, and with the packages that it locks. */
  async take(commit: string): Promise<void> {
    await git(this.root, ["checkout", "--quiet", "--force", "--detach", commit]);
    const file = join(this.root, stackFile(this.stack));
    const committed = await readFile(file, "utf8").catch((error: unknown) => {
      if (codeOf(error) !== "ENOENT") throw error;
      throw new Problem(`${commit.slice(0, 10)} has no stack ${this.stack}, so that a change of it cannot be tried`);
    });
    await writeFile(file, movedAside(committed));
    await this.linkPackages();
  }

  /**
   * Clones what is checked out once more, as another computer has it: with the lab, and with nothing that a command kept for itself.
   *
   * @returns the root of that clone, in this one's folder of what Git ignores. Each is another one: what a killed command started may still
   * write to the one before
   */
  async again(): Promise<string> {
    const { root, stack } = this;
    this.clones += 1;
    const again = join(root, ".hearth", "again", this.clones.toString());
    await mkdir(join(again, ".."), { recursive: true });
    await git(root, ["clone", "--quiet", "--shared", root, again]);
    await git(again, ["checkout", "--quiet", "--detach", await git(root, ["rev-parse", "HEAD"])]);
    await copyFile(join(root, stackFile(stack)), join(again, stackFile(stack)));
    await symlink(join(root, ".lab"), join(again, ".lab"));
    const packages = join(root, "node_modules");
    if (await lstat(packages).catch(() => undefined)) await symlink(packages, join(again, "node_modules"));
    return again;
  }

  /**
   * Uses the checkout's packages where they are those that the commit locks. Elsewhere the commit's own command line installs them.
   *
   * What is removed is proven to be the clone's: a link, or a folder in the clone.
   */
  private async linkPackages(): Promise<void> {
    const path = join(this.root, "node_modules");
    const [ours, theirs] = await Promise.all(
      [this.origin, this.root].map((root) => readFile(join(root, "package-lock.json"), "utf8")),
    );
    const found = await lstat(path).catch(() => undefined);
    if (found !== undefined) await rm(path, { recursive: !found.isSymbolicLink(), force: true });
    if (ours !== theirs) return;
    await symlink(join(this.origin, "node_modules"), path);
    if ((await readlink(path)) !== join(this.origin, "node_modules")) throw new Error(`${path} is not the link`);
  }
}

/**
 * Whether a folder is a clone of a checkout; false where there is no such folder.
 *
 * @throws Problem if something else is there
 */
export const isCloneOf = async (origin: string, folder: string): Promise<boolean> => {
  if ((await lstat(folder).catch(() => undefined)) === undefined) return false;
  const own = ["--git-dir", join(folder, ".git"), "config", "--get", "remote.origin.url"];
  const { exitCode, stdout } = await execa("git", own, { reject: false });
  if (exitCode === 0 && stdout.trim() === origin) return true;
  throw new Problem(`${folder} is no clone of this checkout, so it is not removed: look at it, and move it away`);
};

const git = async (cwd: string, args: string[], env: Record<string, string> = {}): Promise<string> => {
  try {
    return (await execa("git", args, { cwd, env, maxBuffer: 1 << 28 })).stdout.trim();
  } catch (error) {
    if (codeOf(error) === "ENOENT") throw new Problem("Git is missing: install it");
    const { stderr = "" } = error as { stderr?: string };
    throw new Problem(`git ${args[0] ?? ""} failed: ${stderr.trim()}`);
  }
};
