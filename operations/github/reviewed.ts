import { RequestError } from "@octokit/request-error";

import type { GitHub } from "./github.ts";

/**
 * Says what keeps an environment from being safe for code that nobody has read yet. It has to have a reviewer, and to admit the workflows
 * of main alone: a workflow of another branch could ask for the same approval.
 *
 * Sources: GitHub REST API, version 2022-11-28, "Get an environment" and "List deployment branch policies".
 */
export const unreviewed = async ({ api, repository }: GitHub, name: string): Promise<string[]> => {
  const environment = { ...repository, environment_name: name };
  try {
    const { data } = await api.repos.getEnvironment(environment);
    const reviewers = (data.protection_rules ?? []).flatMap((rule) =>
      "reviewers" in rule ? (rule.reviewers ?? []) : [],
    );
    const branches =
      data.deployment_branch_policy?.custom_branch_policies === true
        ? (await api.repos.listDeploymentBranchPolicies(environment)).data.branch_policies
        : [];
    const isOfMain = branches.length === 1 && branches[0]?.name === "main" && branches[0].type !== "tag";
    return [
      ...(reviewers.length > 0 ? [] : [`${name} has no reviewer: add one under Settings → Environments`]),
      ...(isOfMain ? [] : [`${name} admits more than main: select main alone as its deployment branch`]),
    ];
  } catch (error) {
    if (!(error instanceof RequestError) || error.status !== 404) throw error;
    return [`${name} does not exist, or the token may not see it: create it, and give the job actions: read`];
  }
};
