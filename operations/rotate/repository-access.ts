import { writeFile } from "node:fs/promises";
import { join } from "node:path";

import { execa } from "execa";

import { openSshKey } from "../../components/secrets/ssh.ts";
import { withPrivateFolder } from "../../lib/secrets/private-folder.ts";

export interface RepositoryAccess {
  /** URL over SSH. */
  url: string;
  /** Lines of known_hosts for its server. */
  knownHosts: string;
  /** Seed of the key. */
  seed: Uint8Array;
  /** The key's comment. */
  comment: string;
}

/** Whether a repository lets a key read it. */
export type Tried = { is: "accepted" } | { is: "refused"; why: string };

/** Reads a repository's branches with a deploy key, and with no other key and no configuration of the person's. */
export const tryRepository = ({ url, knownHosts, seed, comment }: RepositoryAccess): Promise<Tried> =>
  withPrivateFolder(async (folder) => {
    const [key, known] = [join(folder, "deploy-key"), join(folder, "known_hosts")];
    await writeFile(key, openSshKey(seed, comment), { mode: 0o600 });
    await writeFile(known, `${knownHosts.trim()}\n`, { mode: 0o600 });
    const { exitCode, stderr } = await execa("git", ["ls-remote", "--heads", url], {
      cwd: folder,
      env: { GIT_SSH_COMMAND: sshCommand({ key, known, timeout: 10 }), GIT_TERMINAL_PROMPT: "0" },
      stdin: "ignore",
      reject: false,
      timeout: 30_000,
    });
    if (exitCode === 0) return { is: "accepted" };
    return { is: "refused", why: reasonIn(stderr) };
  });

/**
 * Reads a repository's branches over HTTPS with a token, and with no configuration of the person's.
 *
 * @param token undefined to read it as everybody may
 */
export const tryOverHttps = (url: string, token: string | undefined): Promise<Tried> =>
  withPrivateFolder(async (folder) => {
    const { exitCode, stderr } = await execa("git", ["ls-remote", "--heads", url], {
      cwd: folder,
      env: { ...withoutThePersons(folder), ...httpsEnvironment(token) },
      ...({ stdin: "ignore", reject: false, timeout: 30_000 } as const),
    });
    return exitCode === 0 ? { is: "accepted" } : { is: "refused", why: reasonIn(stderr) };
  });

/**
 * Variables by which Git uses no configuration, password or helper of the person's: those would open what a token does not.
 *
 * @param home a folder without a .netrc
 */
export const withoutThePersons = (home: string): Record<string, string | undefined> => ({
  HOME: home,
  XDG_CONFIG_HOME: undefined,
  GIT_TERMINAL_PROMPT: "0",
  GIT_ASKPASS: undefined,
  SSH_ASKPASS: undefined,
  GIT_CONFIG_GLOBAL: "/dev/null",
  GIT_CONFIG_SYSTEM: "/dev/null",
  GIT_CONFIG_COUNT: undefined,
  GIT_CONFIG_PARAMETERS: undefined,
});

/** The token goes in the environment, which other users do not see, not among the arguments. */
export const httpsEnvironment = (token: string | undefined): Record<string, string> =>
  token === undefined
    ? {}
    : {
        GIT_CONFIG_COUNT: "1",
        GIT_CONFIG_KEY_0: "http.extraHeader",
        GIT_CONFIG_VALUE_0: `Authorization: Basic ${Buffer.from(`git:${token}`).toString("base64")}`,
      };

/**
 * The command by which Git reaches a server with one key and one known host, and with nothing else of the person's.
 *
 * @param timeout of the connection, in seconds
 */
export const sshCommand = ({ key, known, timeout }: { key: string; known: string; timeout: number }): string =>
  [
    ...["ssh", "-F", "/dev/null", "-i", key],
    ...["BatchMode=yes", "IdentitiesOnly=yes", "IdentityAgent=none", `ConnectTimeout=${timeout.toString()}`].flatMap(
      option,
    ),
    ...["StrictHostKeyChecking=yes", `UserKnownHostsFile=${known}`, "GlobalKnownHostsFile=/dev/null"].flatMap(option),
  ]
    .map(quoted)
    .join(" ");

/** What ssh says last, above what Git says about it: a changed host key begins with a banner. */
export const reasonIn = (stderr: string): string => {
  const lines = stderr
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "");
  const git = lines.findIndex((line) => line.startsWith("fatal:"));
  return lines[git > 0 ? git - 1 : Math.max(git, 0)] ?? "it said nothing";
};

const option = (text: string): string[] => ["-o", text];

const quoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;
