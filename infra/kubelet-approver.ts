import { readFileSync } from "node:fs";
import { join } from "node:path";

import type { ConfigurationProblem } from "./config/error.ts";
import type { HearthConfig } from "./config/index.ts";
import { clusterFolder, entryFolder, plainFacts } from "./facts.ts";
import { argoChart, repositoryRoot } from "./tree.ts";
import { treeFiles } from "./tree-walk.ts";

/** The tree's own approver, and two others that people run. */
const approvers = /kubelet-csr-approver|kubelet-serving-cert-approver|talos-cloud-controller-manager/;

/**
 * Finds a cluster that is to sign the certificates of kubelets and has nobody who approves their requests.
 *
 * Kubernetes itself approves requests for client certificates only. Source: Kubernetes v1.36.4, pkg/controller/certificates/approver.
 *
 * @param root folder of the checkout
 */
export const approverProblems = (config: HearthConfig, root = repositoryRoot): ConfigurationProblem[] => {
  if (config.cluster.kubeletCertificates === "self" || hasApprover(config, root)) return [];
  const { engine } = config.gitops;
  return [
    {
      path: ["cluster", "kubeletCertificates"],
      problem: "cluster needs somebody who approves what kubelets request, and the tree has nobody",
      advice:
        engine === "argocd"
          ? "write self, or add kubelet-csr-approver to the applications of Argo CD"
          : `write self, or first turn on security/kubelet-csr-approver in ${clusterFolder(config.gitops)}/kustomization.yaml`,
    },
  ];
};

const hasApprover = (config: HearthConfig, root: string): boolean => {
  const { engine } = config.gitops;
  const folders = [entryFolder(config.gitops), ...(engine === "argocd" ? [argoChart] : [])];
  const facts = plainFacts(config);
  return folders
    .flatMap((folder) => treeFiles(root, folder, facts))
    .some((file) => approvers.test(withoutComments(readFileSync(join(root, file), "utf8"))));
};

const withoutComments = (text: string): string => text.replaceAll(/^\s*#.*$/gm, "");
