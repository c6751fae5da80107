import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

import { execa } from "execa";

import { Problem } from "../../toolchain/problem.ts";
import type { Destination } from "./destination.ts";
import { gitLease } from "./git-lease.ts";
import { writeWhole } from "../../lib/terminal/whole-file.ts";

export interface GitDestinationArgs {
  /** URL that Git pushes to. */
  repository: string;
  branch: string;
}

/** A branch of a Git repository, through the git on PATH and the user's own credentials. */
export const gitDestination = ({ repository, branch }: GitDestinationArgs): Destination => {
  const failed = (what: string, stderr: string): Problem =>
    new Problem(`${what} ${repository} failed: ${lastLine(stderr)}. Look whether you may push to ${branch} there`);
  const git = (cwd: string, ...args: string[]) => execa("git", args, { cwd, env: quiet, reject: false });
  /** Works in a fresh clone, so that it reads what the repository has. */
  const cloned = async <T>(work: (clone: string) => Promise<T>): Promise<T> => {
    const clone = await mkdtemp(join(tmpdir(), "hearth-push-"));
    try {
      const { exitCode, stderr } = await git(
        clone,
        ...["clone", "--quiet", "--depth", "1", "--branch", branch, repository, "."],
      );
      if (exitCode !== 0) throw failed("Cloning", stderr);
      return await work(clone);
    } finally {
      await rm(clone, { recursive: true, force: true });
    }
  };
  const name = `${repository} ${branch}`;
  return {
    name,
    takesBackups: false,
    write: (path, content) =>
      cloned(async (clone) => {
        await writeWhole(join(clone, path), content);
        for (const args of [
          ["add", "--", path],
          [...(await identity(clone)), "commit", "--quiet", "--message", `Write ${path} anew`],
          ["push", "--quiet", "origin", `HEAD:${branch}`],
        ]) {
          const { exitCode, stderr } = await git(clone, ...args);
          if (exitCode !== 0) throw failed("Pushing to", stderr);
        }
      }),
    read: (path) => cloned((clone) => readFile(join(clone, path)).catch(() => undefined)),
    list: (folder) =>
      cloned(async (clone) => {
        const { stdout } = await git(clone, "ls-tree", "--name-only", "HEAD", `${dirname(join(folder, "x"))}/`);
        return stdout.split("\n").flatMap((each) => each.split("/").at(-1) ?? []);
      }),
    lease: (path) => gitLease({ name, repository, env: quiet }, path),
  };
};

/** Disables Git's prompts: in a pipeline, a command would wait for an answer for ever. */
const quiet = { GIT_TERMINAL_PROMPT: "0", GIT_SSH_COMMAND: process.env.GIT_SSH_COMMAND ?? "ssh -o BatchMode=yes" };

/** The user's own name if Git knows it; Hearth's if not, as in a pipeline. */
const identity = async (cwd: string): Promise<string[]> => {
  const { exitCode } = await execa("git", ["config", "user.email"], { cwd, reject: false });
  return exitCode === 0 ? [] : ["-c", "user.name=Hearth", "-c", "user.email=hearth@localhost"];
};

const lastLine = (text: string): string => text.trim().split("\n").at(-1) ?? "";
