import { hosted } from "../../components/gitops/repository.ts";
import type { State } from "../../lib/engine/state.ts";
import { Problem } from "../../toolchain/problem.ts";
import { clusterSecretsIn } from "./drawn.ts";
import { exchangeSecret, type GivenCarrier } from "./given-secret.ts";
import { tryOverHttps, type Tried } from "./repository-access.ts";
import { commitStep, type Rotation } from "./rotation.ts";

/** The token by which the cluster reads its repository over HTTPS. */
export const gitToken: Rotation = {
  name: "git-token",
  what: "the token by which the cluster reads its repository over HTTPS",
  interrupts: "Nothing. Make the new token beside the old one first, to read only; it is read from standard input.",
  rotate: async (surroundings) => {
    const { target } = surroundings;
    const { gitops } = await target.config();
    const { host } = hosted(gitops.repository);
    if (!gitops.repository.startsWith("https:"))
      throw new Problem(
        `${target.stack} reads its repository with a deploy key: npx hearth rotate ${target.stack} deploy-key`,
      );
    const { resumed, unproven, escrow } = await exchangeSecret(surroundings, {
      rotation: "git-token",
      key: "gitToken",
      name: "Git token",
      carriers: gitTokensIn,
      attempt: (token) => requireReading(gitops.repository, token),
    });
    const source =
      gitops.engine === "argocd"
        ? "kubectl --namespace argocd get applications"
        : "kubectl --namespace flux-system get gitrepositories";
    return {
      resumed,
      said: [`${target.stack} reads its repository with another token`, ...unproven],
      left: [
        ...commitStep(target, escrow, `Pulumi.${target.stack}.yaml`),
        `look whether the cluster reads the repository with it: ${source}`,
        `revoke the old token at ${host}`,
      ],
      escrow,
    };
  },
};

/** The Secrets that Flux or Argo CD reads the repository with. Source of their form: components/gitops/repository.ts. */
export const gitTokensIn = (state: State): GivenCarrier[] =>
  clusterSecretsIn(state).flatMap(({ urn, data }) =>
    data.username === "git" && data.password !== undefined ? [{ urn, value: data.password }] : [],
  );

/**
 * Requires that a token reads a repository.
 *
 * @returns that it proves nothing, where everybody may read the repository
 */
export const requireReading = async (
  url: string,
  token: string,
  ask: (url: string, token: string | undefined) => Promise<Tried> = tryOverHttps,
): Promise<string[]> => {
  const tried = await ask(url, token);
  if (tried.is === "refused") throw new Problem(`${hosted(url).host} does not take the new Git token: ${tried.why}`);
  const withNone = await ask(url, undefined);
  return withNone.is === "refused"
    ? []
    : [`What the token may do is not proven: ${hosted(url).host} lets everybody read the repository`];
};
