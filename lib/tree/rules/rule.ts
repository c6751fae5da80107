import { groupOf } from "../../../infra/tree-objects.ts";
import type { Finding, RenderedCluster } from "../render.ts";
import type { Sources } from "../sources.ts";

/** What a kind is known to be: from whose schema, and where its objects live. */
export interface CheckedObject {
  /** Project that its schema comes from; absent where none could be had. */
  source?: string;
  namespaced: boolean;
  errors: { path: string; message: string }[];
}

/** An object with what its schema says of it. */
export type TreeObject = RenderedCluster["objects"][number] & { checked: CheckedObject };

/** All that a rule may look at. */
export interface Tree extends RenderedCluster {
  objects: TreeObject[];
  sources: Sources;
}

/** Finds one sort of mistake. */
export type Rule = (tree: Tree) => Finding[];

/** A finding at an object, or at a path in it. */
export const findingAt = (
  { sources }: Tree,
  object: Pick<TreeObject, "file" | "kind" | "name">,
  what: { path?: (string | number)[]; message: string; advice: string },
): Finding => {
  const { path = [], message, advice } = what;
  const line = sources.lineOf(object.file, object, path);
  return { file: object.file, ...(line !== undefined && { line }), message, advice };
};

/** How an object is called in a message. */
export const called = ({ kind, namespace, name }: Pick<TreeObject, "kind" | "namespace" | "name">): string =>
  `${kind} ${namespace === undefined ? "" : `${namespace}/`}${name}`;

export const isFluxKustomization = (object: { apiVersion: string; kind: string }): boolean =>
  object.kind === "Kustomization" && groupOf(object) === "kustomize.toolkit.fluxcd.io";
