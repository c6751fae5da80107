import { platforms as all } from "../../infra/platforms/index.ts";
import { keptKind, type Kept } from "../../lib/engine/losses.ts";

/** A change of a resource. */
export type Operation = "create" | "update" | "replace" | "delete" | "import" | "other";

/** What is lost with a removed resource. */
export type Danger = Kept | "cluster";

/** Dangers that the report shows but `kept-resources` does not prevent: a deployment carries them out. */
const kinds: [type: RegExp, danger: Danger][] = [
  [/^talos:machine\/bootstrap:/, "machine"],
  [/^kubernetes:core\/v1:Secret$/, "secret"],
  [/^cloudflare:index\/zeroTrustTunnelCloudflaredConfig:/, "tunnel"],
  [/^kubernetes:helm\.sh\/v3:Release$/, "cluster"],
];

/** The report's noun for each danger. */
export const dangerNouns: Record<Danger, string> = {
  machine: "machine",
  secret: "secret",
  volume: "volume",
  tunnel: "tunnel",
  cluster: "part of the cluster",
};

/** In the order of a report. */
export const dangers = Object.keys(dangerNouns) as Danger[];

/** The danger in an operation; undefined if there is none. */
export const dangerOf = (
  type: string,
  operation: Operation,
  removed: readonly string[] = [],
  platforms = all,
): Danger | undefined => {
  if (operation === "replace" || operation === "delete") {
    return keptKind(type, platforms) ?? kinds.find(([pattern]) => pattern.test(type))?.[1];
  }
  const losesDisk = platforms.some(({ dangers }) => dangers?.losesDisk(type, removed) === true);
  return operation === "update" && losesDisk ? "volume" : undefined;
};

/** Kinds of Kubernetes objects whose removal from the tree also removes other things. */
const treeKinds: Record<string, Danger> = {
  Namespace: "volume",
  PersistentVolumeClaim: "volume",
  PersistentVolume: "volume",
  StatefulSet: "volume",
  CustomResourceDefinition: "cluster",
  Kustomization: "cluster",
  CephCluster: "volume",
  CephBlockPool: "volume",
  Cluster: "volume",
  Secret: "secret",
};

/** The danger in an object's removal from the tree. */
export const treeDanger = (kind: string): Danger | undefined => treeKinds[kind];
