import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { execa } from "execa";

import type { Lease, LeaseStore } from "../../lib/engine/lease.ts";
import { Problem } from "../../toolchain/problem.ts";
import { leaseText, readLease } from "./lease-text.ts";

/** How long Git may take, in milliseconds. */
const limit = 30_000;

export interface GitLeaseArgs {
  /** Name in messages. */
  name: string;
  repository: string;
  /** Environment of Git. */
  env: NodeJS.ProcessEnv;
}

/**
 * Keeps a lease in a Git repository, at a ref of its own: the branch gets no commit each minute, and no workflow starts.
 *
 * `--force-with-lease` has the server compare the ref with the commit that was seen, in its own transaction. Source: Git 2.39,
 * Documentation/git-push.txt; an empty expectation means that there may be no such ref.
 */
export const gitLease = ({ name, repository, env }: GitLeaseArgs, path: string): LeaseStore => {
  const ref = `refs/hearth/${path}`;
  const git = async (cwd: string, args: string[], input = ""): Promise<string> => {
    const { exitCode, stdout, stderr, timedOut } = await execa("git", args, {
      ...{ cwd, env, input, reject: false, timeout: limit },
    });
    if (exitCode === 0) return stdout;
    const reason = timedOut ? "it does not answer" : (stderr.trim().split("\n").at(-1) ?? "");
    throw new Problem(`git ${args[0] ?? ""} of ${ref} in ${repository} failed: ${reason}`);
  };
  const inRepository = async <T>(work: (folder: string) => Promise<T>): Promise<T> => {
    const folder = await mkdtemp(join(tmpdir(), "hearth-lease-"));
    try {
      await git(folder, ["init", "--quiet", "--bare"]);
      return await work(folder);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  };
  const push = (lease: Lease, expected: string): Promise<void> =>
    inRepository(async (folder) => {
      const blob = await git(folder, ["hash-object", "-w", "--stdin"], leaseText(lease));
      const tree = await git(folder, ["mktree"], `100644 blob ${blob}\tlease.json\n`);
      const author = ["-c", "user.name=Hearth", "-c", "user.email=hearth@localhost"];
      const commit = await git(folder, [...author, "commit-tree", tree, "-m", "Hold the lease"]);
      await git(folder, ["push", "--quiet", `--force-with-lease=${ref}:${expected}`, repository, `${commit}:${ref}`]);
    });
  return {
    name,
    get: () =>
      inRepository(async (folder) => {
        const [version = ""] = (await git(folder, ["ls-remote", repository, ref])).split("\t");
        if (version === "") return undefined;
        await git(folder, ["fetch", "--quiet", "--depth", "1", repository, ref]);
        const fetched = await git(folder, ["rev-parse", "FETCH_HEAD"]);
        const text = await git(folder, ["cat-file", "blob", "FETCH_HEAD:lease.json"]).catch(() => "");
        return { ...readLease(text), version: fetched };
      }),
    create: (lease) => push(lease, ""),
    replace: (lease, version) => push(lease, version),
  };
};
