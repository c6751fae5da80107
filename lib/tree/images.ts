import { isRelease } from "../../infra/tree-objects.ts";
import type { Finding } from "./render.ts";
import { called, type TreeObject } from "./rules/rule.ts";

/** An image that something in a cluster names. */
export interface NamedImage {
  /** With its registry, as a container runtime asks for it. */
  image: string;
  /** Whether a chart names it, and not a manifest of the tree. */
  isOfChart: boolean;
  /** What names it: an object of the tree, or the release of the chart. */
  by: string;
  place: Pick<Finding, "file" | "line">;
}

/**
 * The images that an object names: those of its containers, and every other text that is the whole name of one, with registry and tag.
 * Charts tell operators so which images to run, in flags, variables, ConfigMaps and fields of their own kinds.
 */
export const imagesOf = (object: TreeObject): NamedImage[] => {
  // A definition has examples, and what is in a release's values its chart names.
  if (object.kind === "CustomResourceDefinition" || isRelease(object)) return [];
  const { release = object } = object;
  const { file, line } = release;
  return [...new Set(namesIn(object.object).filter(isVersioned))].map((image) => ({
    ...{ image, isOfChart: release !== object, by: called(release) },
    place: { file, ...(line !== undefined && { line }) },
  }));
};

/** A registry, which has a dot or a port, a repository, and a tag, a digest or both; as the value of a flag, too. */
const named =
  /^(?:--[\w-]+=)?((?:[a-z0-9-]+\.)+[a-z0-9]+(?::\d+)?\/[\w./-]+(?::\w[\w.-]*(?:@sha256:[0-9a-f]{64})?|@sha256:[0-9a-f]{64}))$/;

const namesIn = (value: unknown, key = ""): string[] => {
  if (typeof value === "string")
    return key === "image" && value !== "" ? [resolved(value)] : (named.exec(value)?.slice(1) ?? []);
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([name, inner]) => namesIn(inner, name));
};

/**
 * The name of an image with its registry, which is Docker Hub unless the name says another.
 *
 * Source: distribution/reference v0.6, normalize.go, splitDockerDomain.
 */
const resolved = (image: string): string => {
  const [first = "", ...rest] = image.split("/");
  if (rest.length === 0) return `docker.io/library/${image}`;
  return /[.:]/.test(first) || first === "localhost" ? image : `docker.io/${image}`;
};

/** Whether an image has a tag or a digest. What has neither is found by a rule. */
const isVersioned = (image: string): boolean => /[:@][^/]+$/.test(image);

/** Whether an image is known by its content alone. */
export const hasDigest = (image: string): boolean => /@sha256:[0-9a-f]{64}$/.test(image);
