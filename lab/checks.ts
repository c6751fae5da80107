import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parseAllDocuments } from "yaml";
import { clusterFolder } from "../infra/facts.ts";
import { encryptedFiles } from "../infra/tree-walk.ts";
import { Problem } from "../toolchain/problem.ts";
import { readiness, type Kubernetes, type KubernetesObject } from "../lib/cluster/kubernetes.ts";

/** Names of the Kubernetes Secrets that are encrypted in a cluster's part of the GitOps tree. */
export const encryptedSecrets = (root: string, path: string): string[] =>
  encryptedFiles(root, path, { cluster_folder: clusterFolder({ path }) }).flatMap((file) =>
    parseAllDocuments(readFileSync(join(root, file), "utf8")).flatMap((document) => {
      const object = document.toJS() as { kind?: string; metadata?: { name?: string } } | null;
      return object?.kind === "Secret" && object.metadata?.name !== undefined ? [object.metadata.name] : [];
    }),
  );

const isFromFlux = (secret: KubernetesObject & { metadata: { labels?: Record<string, string> } }): boolean =>
  secret.metadata.labels?.["kustomize.toolkit.fluxcd.io/name"] !== undefined;

const isInClear = (secret: KubernetesObject): boolean =>
  Object.values(secret.data ?? {}).every((value) => !Buffer.from(value, "base64").toString().startsWith("ENC["));

/** The encrypted Secrets of the tree that exist decrypted in the cluster. */
export const decryptedSecrets = async (kubernetes: Kubernetes, names: readonly string[]): Promise<string[]> => {
  const applied = (await kubernetes.list("/api/v1/secrets")).filter(isFromFlux).filter(isInClear);
  return names.filter((name) => applied.some(({ metadata }) => metadata.name === name));
};

/** A node and whether it is Ready. */
export interface NodeState {
  name: string;
  isReady: boolean;
  version: string;
  address: string;
}

/** Lists the cluster's nodes. */
export const nodeStates = async (kubernetes: Kubernetes): Promise<NodeState[]> =>
  (await kubernetes.list("/api/v1/nodes")).map((node) => {
    const { nodeInfo, addresses } = (node.status ?? {}) as {
      nodeInfo?: { kubeletVersion: string };
      addresses?: { type: string; address: string }[];
    };
    return {
      name: node.metadata.name,
      isReady: readiness(node).isReady,
      version: nodeInfo?.kubeletVersion ?? "",
      address: addresses?.find(({ type }) => type === "InternalIP")?.address ?? "",
    };
  });

/** What keeps the machines of a stack file from being nodes that are Ready, one line each. Pure. */
export const unreadyNodes = (machines: readonly string[], nodes: readonly NodeState[]): string[] => {
  const isNode = new Set(nodes.map(({ name }) => name));
  return [
    ...machines.filter((name) => !isNode.has(name)).map((name) => `machine ${name} is no node yet`),
    ...nodes.filter(({ isReady }) => !isReady).map(({ name }) => `node ${name} is not Ready`),
  ];
};

/** Throws a Problem that lists everything that is missing, if anything is. */
export const requireNothingMissing = (missing: readonly string[]): void => {
  if (missing.length > 0) throw new Problem(`The lab is up, but parts are missing: ${missing.join("; ")}`);
};
