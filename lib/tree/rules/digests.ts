import { parse } from "yaml";

import { at, groupOf, listAt } from "../../../infra/tree-objects.ts";
import { hasDigest } from "../images.ts";
import { containerLists, isPinned, podSpecOf } from "./images.ts";
import type { RenderedCluster } from "../render.ts";
import { called, findingAt, type Rule } from "./rule.ts";

type RenderedObject = RenderedCluster["objects"][number];

/** The list of images that have no digest yet, with a reason for each. */
export const pendingFile = "gitops/pending-digests.yaml";

/** Images by the text of the list. */
export const pendingImages = (text: string): Record<string, string> => (parse(text) ?? {}) as Record<string, string>;

/** The text of the list without the lines of some images. */
export const withoutPending = (text: string, images: readonly string[]): string =>
  text
    .split("\n")
    .filter((line) => !images.some((image) => line.startsWith(`${image}: `)))
    .join("\n");

/** Paths of images in kinds that run pods by themselves, by group and kind. */
const others: Record<string, string[]> = {
  "ceph.rook.io/CephCluster": ["spec", "cephVersion", "image"],
  "postgresql.cnpg.io/Cluster": ["spec", "imageName"],
};

/** The images of an object, with the path of each. */
const imagesIn = (each: RenderedObject): { image: string; path: (string | number)[] }[] => {
  const spec = podSpecOf(each.kind);
  const own = others[`${groupOf(each)}/${each.kind}`];
  const paths = [
    ...containerLists.flatMap((list) =>
      listAt(each.object, ...spec, list).map((_, index) => [...spec, list, index, "image"]),
    ),
    ...(own === undefined ? [] : [own]),
  ];
  return paths.flatMap((path) => {
    const image = path.reduce<unknown>((value, key) => at(value, key), each.object);
    return typeof image === "string" ? [{ image, path }] : [];
  });
};

/**
 * Images of the tree's own manifests whose content can be exchanged under the same tag: each has a digest, or is in the list of those that do
 * not have one yet.
 */
export const digests: Rule = (tree) => {
  const pending = pendingImages(tree.sources.textOf(pendingFile));
  return tree.objects.flatMap((object) =>
    imagesIn(object)
      // What has no tag either is found by another rule.
      .filter(({ image }) => isPinned(image) && !hasDigest(image) && (pending[image] ?? "").length < shortestReason)
      .flatMap(({ image, path }) =>
        findingAt(tree, object, {
          path,
          message: `${called(object)}: the image ${image} has no digest`,
          advice: `write it as ${image}@sha256:…, or add it to ${pendingFile} with a reason`,
        }),
      ),
  );
};

const shortestReason = 10;

/** Images of objects that have no digest. */
export const withoutDigest = (objects: readonly RenderedObject[]): string[] =>
  objects.flatMap((object) => imagesIn(object).flatMap(({ image }) => (hasDigest(image) ? [] : [image])));
