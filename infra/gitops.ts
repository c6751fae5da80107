import * as pulumi from "@pulumi/pulumi";

import { ArgoCd } from "../components/gitops/argocd.ts";
import { Flux } from "../components/gitops/flux.ts";
import { GitHubRegistration } from "../components/gitops/github.ts";
import { hosted, type Repository } from "../components/gitops/repository.ts";
import { receiverPath } from "../components/gitops/webhook.ts";
import type { RootSecrets } from "../components/secrets/root-secrets.ts";
import type { HearthConfig } from "./config/index.ts";
import { setSecret } from "./config/secrets.ts";
import type { Edge } from "./edge.ts";
import { clusterFacts, clusterSecrets, inOneLine } from "./facts.ts";
import { argoChart, type Tree } from "./tree.ts";

/** Secrets that a person sets for the repository. */
export interface RepositorySecrets {
  /** Token that reads the repository over HTTPS. */
  gitToken?: pulumi.Output<string> | undefined;
  /** Token with permission to administer the repository on GitHub. */
  githubToken?: pulumi.Output<string> | undefined;
}

/** Hands the cluster over to the GitOps engine. */
export const handOver = (
  config: HearthConfig,
  { gitToken }: RepositorySecrets,
  { secrets, edge, tree }: { secrets: RootSecrets; edge: Edge | undefined; tree: Tree },
  opts: pulumi.ComponentResourceOptions,
): Flux | ArgoCd => {
  const { gitops } = config;
  const repository: Repository = {
    url: gitops.repository,
    branch: gitops.branch,
    path: gitops.path,
    knownHosts: gitops.knownHosts,
    deployKey: secrets.deployKey,
    deployKeyPublic: secrets.deployKeyPublic,
    token: gitToken,
  };
  const common = {
    repository,
    ageIdentity: secrets.ageIdentity,
    settings: clusterFacts(config, edge),
    secrets: clusterSecrets(edge, secrets.signingKeys.cluster.privateKey.apply(inOneLine)),
  };
  if (gitops.engine === "argocd") {
    return new ArgoCd("argocd", { ...common, chart: argoChart, release: tree.argoCd }, opts);
  }
  const { webhookToken } = secrets;
  return new Flux("flux", { ...common, webhookToken, operator: tree.fluxOperator, flux: gitops.flux ?? "" }, opts);
};

/** Registers the cluster's deploy key and webhook with GitHub, if a token for that is set. */
export const registerRepository = (
  { cluster, cloudflare, gitops }: HearthConfig,
  { githubToken }: RepositorySecrets,
  secrets: RootSecrets,
): GitHubRegistration | undefined => {
  if (!githubToken) return undefined;
  const repository = hosted(gitops.repository);
  if (repository.host !== "github.com") {
    throw new pulumi.RunError(
      `hearth:githubToken is set, and gitops.repository is at ${repository.host}, not at github.com: ` +
        `remove the token with pulumi config rm hearth:githubToken, or ${setSecret("gitToken")}`,
    );
  }
  const { webhookToken } = secrets;
  const host = gitops.engine === "flux" ? cloudflare?.webhook : undefined;
  return new GitHubRegistration("github", {
    repository,
    token: githubToken,
    title: `hearth ${cluster.name}`,
    deployKey: secrets.deployKeyPublic,
    webhook: host
      ? {
          url: webhookToken.apply((token) => `https://${host}${receiverPath(token)}`),
          secret: webhookToken,
        }
      : undefined,
  });
};
