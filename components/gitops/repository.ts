import type * as pulumi from "@pulumi/pulumi";

/** The Git repository of a cluster, and the credentials that read it. */
export interface Repository {
  /** URL over SSH or HTTPS. */
  url: string;
  branch: string;
  /** Folder of the repository that is reconciled. */
  path: string;
  /** Lines of known_hosts for the server of an SSH URL. */
  knownHosts?: string | undefined;
  /** Private half of the deploy key. Secret. */
  deployKey: pulumi.Input<string>;
  deployKeyPublic: pulumi.Input<string>;
  /** Token for reading over HTTPS. A repository without one has to be public. Secret. */
  token?: pulumi.Input<string> | undefined;
}

/** Where a repository is hosted. */
export interface Hosted {
  host: string;
  owner: string;
  /** Without `.git`. */
  name: string;
}

/** Splits the URL of a repository. The last element of its path is the name, and those before it are the owner. */
export const hosted = (url: string): Hosted => {
  const { hostname, pathname } = new URL(url);
  const parts = pathname.replace(/\.git\/?$/, "").split("/");
  return { host: hostname, owner: parts.slice(1, -1).join("/"), name: parts.at(-1) ?? "" };
};

/** The credentials of Flux's GitRepository, by key of its Secret. Undefined where none are needed. */
export const fluxCredential = (repository: Repository): Record<string, pulumi.Input<string>> | undefined => {
  if (repository.url.startsWith("ssh:")) {
    return {
      identity: repository.deployKey,
      "identity.pub": repository.deployKeyPublic,
      known_hosts: repository.knownHosts ?? "",
    };
  }
  // Hosts accept any user name beside a token, but demand one.
  return repository.token === undefined ? undefined : { username: "git", password: repository.token };
};

/** Argo CD's credentials for a repository, by key of its Secret. Source: Argo CD, "Declarative Setup", Repositories. */
export const argoCredential = (repository: Repository): Record<string, pulumi.Input<string>> => ({
  type: "git",
  url: repository.url,
  ...(repository.url.startsWith("ssh:")
    ? { sshPrivateKey: repository.deployKey }
    : repository.token !== undefined && { username: "git", password: repository.token }),
});
