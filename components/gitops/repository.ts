import type * as pulumi from "@pulumi/pulumi";

/** The Git repository that a cluster is kept at, and what reads it. */
export interface Repository {
  /** URL over SSH or HTTPS. */
  url: string;
  branch: string;
  /** Folder of it that is reconciled. */
  path: string;
  /** Lines of known_hosts for its server, where it is reached over SSH. */
  knownHosts?: string | undefined;
  /** Private half of the deploy key. Secret. */
  deployKey: pulumi.Input<string>;
  deployKeyPublic: pulumi.Input<string>;
  /** Token that reads it over HTTPS; without one it has to be public. Secret. */
  token?: pulumi.Input<string> | undefined;
}

/** Where a repository is hosted. */
export interface Hosted {
  host: string;
  owner: string;
  /** Without `.git`. */
  name: string;
}

/** The parts of a repository's URL: its last two path elements are owner and name. */
export const hosted = (url: string): Hosted => {
  const { hostname, pathname } = new URL(url);
  const parts = pathname.replace(/\.git\/?$/, "").split("/");
  return { host: hostname, owner: parts.slice(1, -1).join("/"), name: parts.at(-1) ?? "" };
};

/** What Flux's GitRepository proves itself with, by key of its Secret; undefined where nothing is needed. */
export const fluxCredential = (repository: Repository): Record<string, pulumi.Input<string>> | undefined => {
  if (repository.url.startsWith("ssh:")) {
    return {
      identity: repository.deployKey,
      "identity.pub": repository.deployKeyPublic,
      known_hosts: repository.knownHosts ?? "",
    };
  }
  // Hosts take any name beside a token, and want one.
  return repository.token === undefined ? undefined : { username: "git", password: repository.token };
};

/** What Argo CD reads a repository with, by key of its Secret. Source: Argo CD, "Declarative Setup", Repositories. */
export const argoCredential = (repository: Repository): Record<string, pulumi.Input<string>> => ({
  type: "git",
  url: repository.url,
  ...(repository.url.startsWith("ssh:")
    ? { sshPrivateKey: repository.deployKey }
    : repository.token !== undefined && { username: "git", password: repository.token }),
});
