import { join, normalize } from "node:path";

import { format, stackFile } from "../../infra/config/error.ts";
import type { HearthConfig } from "../../infra/config/index.ts";
import { examineStackFile, readStackFile, type StackFile } from "../../infra/config/stack-file.ts";
import type { TreeObject } from "../../infra/tree-objects.ts";
import { Problem } from "../../toolchain/problem.ts";
import type { Answers } from "./answers.ts";
import { createdObjects, rootKustomization, type KubernetesObject } from "./created.ts";
import { askProgram } from "./program.ts";
import { Sources } from "./sources.ts";

/** An object as Flux would apply it, with variables substituted and placeholders for what is secret. */
export interface RenderedObject extends TreeObject {
  /** The Kustomization that applies it, as `namespace/name`. */
  kustomization: string;
  /** File that it comes from, relative to the checkout. */
  file: string;
  /** Line of the file at which it begins; undefined where kustomize generated it. The file is read once it is asked for. */
  readonly line?: number | undefined;
}

/** A Kustomization of Flux, as it is in the cluster. */
export interface RenderedKustomization {
  /** As `namespace/name`. */
  name: string;
  /** File that it comes from; empty for the one that Flux starts from. */
  file: string;
  object: KubernetesObject;
}

/** What is wrong in the tree: where, what, and what to do. */
export interface Finding {
  file: string;
  line?: number;
  message: string;
  advice: string;
}

/** A cluster's part of the tree, as Flux would have it. */
export interface RenderedCluster {
  config: HearthConfig;
  /** What the program creates before Flux is there. */
  created: KubernetesObject[];
  kustomizations: RenderedKustomization[];
  objects: (RenderedObject & { object: KubernetesObject; encrypted: boolean })[];
  /** What could not be rendered, or not as it was meant. */
  findings: Finding[];
}

interface Answer {
  kustomizations: RenderedKustomization[];
  objects: { kustomization: string; file: string; encrypted?: boolean; object: KubernetesObject }[];
  problems: { kustomization: string; file: string; near?: string; message: string; advice: string }[];
}

/**
 * Renders every Kustomization of a cluster as Flux does, from what the program creates to the last object.
 *
 * Values of SOPS files, and what only a running cluster knows, are placeholders. What cannot be rendered is left out; see
 * {@link renderTree}.
 *
 * @param checkout root of a checkout of the repository
 * @param cluster name of the cluster's stack
 * @throws Problem where the stack file is not valid, or the cluster is not kept by Flux
 */
export const renderCluster = async (checkout: string, cluster: string): Promise<RenderedObject[]> =>
  (await renderTree(checkout, cluster)).objects;

/**
 * As {@link renderCluster}, with the Kustomizations and with what is wrong.
 *
 * @param options.file the stack file, where it is not the checkout's own
 * @param options.answers where what was rendered is kept for the next time
 */
export const renderTree = async (
  checkout: string,
  cluster: string,
  { file = readStackFile(checkout, cluster), answers }: { file?: StackFile; answers?: Answers } = {},
): Promise<RenderedCluster> => {
  const config = clusterConfig(file, cluster);
  if (config.gitops.engine !== "flux") {
    throw new Problem(`${stackFile(cluster)} hands its cluster to Argo CD: only what Flux keeps can be rendered`);
  }
  const created = createdObjects(config);
  const { root, patches } = rootKustomization(config);
  const request = { checkout, created, root, patches };
  const answer = await askProgram<Answer>("render", request, { [checkout]: topFolder(checkout, root) }, answers);
  const sources = new Sources(checkout);
  return {
    config,
    created,
    kustomizations: answer.kustomizations,
    objects: answer.objects.map((each) => located(each, sources)),
    findings: answer.problems.map(({ file, near, message, advice }) => ({
      file,
      ...known("line", near === undefined ? undefined : sources.lineNear(file, near)),
      message,
      advice,
    })),
  };
};

/** The top folder of what a Kustomization names, which is all of the checkout that its rendering reads. */
const topFolder = (checkout: string, { spec }: KubernetesObject): string =>
  join(checkout, normalize((spec as { path: string }).path).split("/")[0] ?? "");

/** @throws Problem where the stack file is not valid */
export const clusterConfig = (file: StackFile, cluster: string): HearthConfig => {
  const { config, problems } = examineStackFile(file);
  if (config === undefined) throw new Problem(format(stackFile(cluster), problems));
  return config;
};

const located = ({ kustomization, file, encrypted = false, object }: Answer["objects"][number], sources: Sources) => {
  const { apiVersion, kind, metadata } = object;
  return {
    kustomization,
    apiVersion,
    kind,
    ...known("namespace", metadata.namespace),
    name: metadata.name,
    file,
    get line() {
      return sources.lineOf(file, { kind, name: metadata.name });
    },
    encrypted,
    object,
  };
};

/** The key with its value, where there is one. */
const known = <K extends string, V>(key: K, value: V | undefined): Partial<Record<K, V>> =>
  value === undefined ? {} : ({ [key]: value } as Record<K, V>);
