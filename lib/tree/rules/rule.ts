import { groupOf } from "../../../infra/tree-objects.ts";
import type { Finding, RenderedCluster } from "../render.ts";
import type { Sources } from "../sources.ts";

/** What a kind is known to be: from whose schema, and where its objects live. */
export interface CheckedObject {
  /** Project that its schema comes from; absent where none could be had. */
  source?: string;
  namespaced: boolean;
  errors: { path: string; message: string }[];
  /** What levels of the Pod Security Standards forbid of its pods, by the API server's own code. */
  forbidden?: Partial<Record<string, string[]>>;
}

type RenderedObject = RenderedCluster["objects"][number];

/** An object with what its schema says of it. */
export type TreeObject = RenderedObject & {
  checked: CheckedObject;
  /** The release that would create it. Undefined for an object of the tree itself. */
  release?: RenderedObject;
};

/** All that a rule may look at. */
export interface Tree extends RenderedCluster {
  /** The tree's own objects. */
  objects: TreeObject[];
  /** What releases would create whose charts can be had. */
  released: TreeObject[];
  /** Releases whose charts cannot be had, so that it is not known what they create. */
  unrendered: RenderedObject[];
  sources: Sources;
}

/** The tree's own objects, and what its releases would create. */
export const everything = ({ objects, released }: Tree): TreeObject[] => [...objects, ...released];

/** What an object is found by where it may be named: its kind, its namespace unless the cluster has it once, and its name. */
export const identity = ({ kind, namespace, name, checked }: TreeObject): string =>
  `${kind} ${checked.source !== undefined && !checked.namespaced ? "" : `${namespace ?? ""}/`}${name}`;

/** Finds one sort of mistake. */
export type Rule = (tree: Tree) => Finding[];

/** A finding at an object, or at a path in it. */
export const findingAt = (
  { sources }: Tree,
  object: Pick<TreeObject, "file" | "kind" | "name" | "release">,
  what: { path?: (string | number)[]; message: string; advice: string },
): Finding => {
  const { path = [], message, advice } = what;
  const line = sources.lineOf(object.file, object.release ?? object, object.release === undefined ? path : []);
  return { file: object.file, ...(line !== undefined && { line }), message, advice };
};

/** How an object is called in a message. */
export const called = ({
  kind,
  namespace,
  name,
  release,
}: Pick<TreeObject, "kind" | "namespace" | "name" | "release">): string =>
  `${kind} ${namespace === undefined ? "" : `${namespace}/`}${name}` +
  (release === undefined ? "" : ` of HelmRelease ${release.namespace ?? ""}/${release.name}`);

export const isFluxKustomization = (object: { apiVersion: string; kind: string }): boolean =>
  object.kind === "Kustomization" && groupOf(object) === "kustomize.toolkit.fluxcd.io";
