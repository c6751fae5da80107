import { writeFile } from "node:fs/promises";
import { join } from "node:path";

import { execa } from "execa";

import { resourceTypes } from "../../components/resource-types.ts";
import { deriveSeed } from "../../components/secrets/derive.ts";
import { openSshKey } from "../../components/secrets/ssh.ts";
import { nameOf } from "../../components/urn.ts";
import type { HearthConfig } from "../../infra/config/index.ts";
import { ofType, type State } from "../../lib/engine/state.ts";
import { revealed } from "../../lib/engine/value.ts";
import { withPrivateFolder } from "../../lib/secrets/private-folder.ts";
import { httpsEnvironment, reasonIn, sshCommand, withoutThePersons } from "../rotate/repository-access.ts";
import type { Subject } from "./doctor.ts";
import { fine, listed, notAsked, problem, type Finding } from "./finding.ts";
import { withoutState } from "./surroundings.ts";

/** How a command of Git ended. */
export interface Ran {
  exitCode: number | undefined;
  stdout: string;
  stderr: string;
}

/** What is known of the cluster's repository. */
export interface GitFacts {
  /** Listing its branches, with the stack's own key or token. */
  branches: Ran;
  /** Which credentials were used. */
  by: "deploy key" | "token" | "nothing";
  /** Why there is no deploy key, if the repository is read with one. */
  withoutKey?: string | undefined;
  /** Looking for the cluster's folder on the branch; undefined if the branch could not be read. */
  folder: Ran | undefined;
}

/** Messages of OpenSSH about a server's key. Source: openssh-portable, sshconnect.c. */
const hostKey = /host key verification failed|no .*host key is known|remote host identification has changed/i;

/** Messages about who asks, by OpenSSH and Git hosts. */
const refused =
  /permission denied|authentication failed|could not read (username|password)|repository not found|access denied|invalid username|403|401/i;

export const gitFindings = (
  { gitops, cluster }: HearthConfig,
  { branches, by, withoutKey, folder }: GitFacts,
): Finding[] => {
  const { host } = new URL(gitops.repository);
  const server = `Git server ${host}`;
  const [branch, path] = [`Git branch ${gitops.branch}`, `Git folder ${gitops.path}`];
  const rest = (why: string): Finding[] => [notAsked(branch, why), notAsked(path, why)];
  const why = reasonIn(branches.stderr);
  if (branches.exitCode !== 0 && hostKey.test(branches.stderr)) {
    const advice =
      `compare what ssh-keyscan prints for it with what its owner publishes, and write that as gitops.knownHosts.\n` +
      "If the owner has not changed its key, somebody stands between";
    return [
      problem(server, `has another host key than gitops.knownHosts names: ${why}`, advice),
      ...rest("the server did not prove itself"),
    ];
  }
  if (branches.exitCode !== 0 && !refused.test(branches.stderr)) {
    return [
      problem(
        server,
        `does not answer: ${why}`,
        "look at gitops.repository, and at the network from here to the server",
      ),
      ...rest("the server does not answer"),
    ];
  }
  const proven = fine(
    server,
    gitops.repository.startsWith("ssh:") ? "answers with the host key that gitops.knownHosts names" : "answers",
  );
  if (withoutKey !== undefined && branches.exitCode !== 0) {
    return [proven, notAsked("Git deploy key", withoutKey), ...rest("there is no key to read it with yet")];
  }
  const access = by === "deploy key" ? "Git deploy key" : "Git access";
  if (branches.exitCode !== 0) {
    const advice =
      by === "deploy key"
        ? `register it there, to read only: pulumi stack output deployKey prints it (hearth-${cluster.name})`
        : "give hearth:gitToken the right to read the repository, and look at gitops.repository";
    return [proven, problem(access, `is refused: ${why}`, advice), ...rest("the repository cannot be read")];
  }
  return [proven, fine(access, "reads the repository"), ...contentFindings({ branch, path }, gitops, branches, folder)];
};

/** The branches that `git ls-remote --heads` lists. */
const headsIn = (stdout: string): string[] =>
  [...stdout.matchAll(/\srefs\/heads\/(.+)$/gm)].map(([, name = ""]) => name);

const contentFindings = (
  check: { branch: string; path: string },
  gitops: HearthConfig["gitops"],
  { stdout }: Ran,
  folder: Ran | undefined,
): Finding[] => {
  const heads = headsIn(stdout);
  if (!heads.includes(gitops.branch)) {
    const others =
      heads.length === 0 ? "no branch at all" : `${listed(heads.slice(0, 5))}${heads.length > 5 ? ", …" : ""}`;
    return [
      problem(check.branch, `is not in the repository, which has ${others}`, "push it, or correct gitops.branch"),
      notAsked(check.path, "there is no such branch"),
    ];
  }
  const there = fine(check.branch, "is there");
  if (folder === undefined) return [there, notAsked(check.path, "it was not asked for")];
  if (folder.exitCode !== 0) return [there, notAsked(check.path, reasonIn(folder.stderr))];
  return folder.stdout.trim() === ""
    ? [
        there,
        problem(
          check.path,
          `is not on ${gitops.branch}`,
          "commit and push the cluster's folder, or correct gitops.path",
        ),
      ]
    : [there, fine(check.path, "is there")];
};

/** How long a command of Git may take, in milliseconds. */
const gitTimeout = 5000;

/** The seed of the stack's deploy key; undefined if the state has none. */
const seedIn = (state: State | undefined): Uint8Array | undefined => {
  const password = state && ofType(state, resourceTypes.password).find(({ urn }) => nameOf(urn) === "deploy-key-seed");
  const drawn = revealed(password?.outputs?.result);
  return typeof drawn === "string" ? Buffer.from(deriveSeed(drawn, "deploy-key-seed"), "base64") : undefined;
};

/** Reads a repository with the stack's credentials alone, and with no configuration of the person's. */
const read = (
  { gitops, cluster }: HearthConfig,
  { seed, gitToken }: { seed: Uint8Array | undefined; gitToken: string | undefined },
): Promise<Omit<GitFacts, "withoutKey">> =>
  withPrivateFolder(async (folder) => {
    const isSsh = gitops.repository.startsWith("ssh:");
    const env = isSsh
      ? await sshEnvironment(folder, { knownHosts: gitops.knownHosts ?? "", seed, comment: `hearth-${cluster.name}` })
      : httpsEnvironment(gitToken);
    const git = async (...args: string[]): Promise<Ran> => {
      const { exitCode, stdout, stderr, timedOut } = await execa("git", args, {
        cwd: folder,
        env: { ...withoutThePersons(folder), ...env },
        ...({ stdin: "ignore", reject: false, timeout: gitTimeout } as const),
      });
      return {
        exitCode,
        stdout,
        stderr: timedOut ? `fatal: no answer in ${(gitTimeout / 1000).toString()} s` : stderr,
      };
    };
    const branches = await git("ls-remote", "--heads", gitops.repository);
    const by = isSsh ? "deploy key" : gitToken === undefined ? "nothing" : "token";
    if (!headsIn(branches.stdout).includes(gitops.branch)) return { branches, by, folder: undefined };
    await git("init", "--quiet", "--bare", "copy.git");
    const copy = ["--git-dir", join(folder, "copy.git")];
    const fetched = await git(
      ...[...copy, "fetch", "--quiet", "--depth", "1", "--filter", "blob:none", gitops.repository],
      `refs/heads/${gitops.branch}`,
    );
    const found =
      fetched.exitCode === 0
        ? await git(...copy, "ls-tree", "--name-only", "FETCH_HEAD", `${gitops.path.replace(/\/$/, "")}/`)
        : fetched;
    return { branches, by, folder: found };
  });

const sshEnvironment = async (
  folder: string,
  { knownHosts, seed, comment }: { knownHosts: string; seed: Uint8Array | undefined; comment: string },
): Promise<Record<string, string>> => {
  const [key, known] = [join(folder, "deploy-key"), join(folder, "known_hosts")];
  await writeFile(known, `${knownHosts.trim()}\n`, { mode: 0o600 });
  if (seed) await writeFile(key, openSshKey(seed, comment), { mode: 0o600 });
  return { GIT_SSH_COMMAND: sshCommand({ key: seed ? key : "/dev/null", known, timeout: 4 }) };
};

/** The repository that the cluster follows. */
export const git: Subject = {
  name: "Git",
  examine: async ({ config, state, secrets }) => {
    const isSsh = config.gitops.repository.startsWith("ssh:");
    const seed = isSsh && "value" in state ? seedIn(state.value) : undefined;
    const gitToken = "value" in secrets ? secrets.value.gitToken : undefined;
    const why = withoutState(state);
    const facts = await read(config, { seed, gitToken });
    return gitFindings(config, {
      ...facts,
      ...(isSsh &&
        seed === undefined && {
          withoutKey: why === undefined ? "the state has none yet" : `${why}, so there is none yet`,
        }),
    });
  },
};
