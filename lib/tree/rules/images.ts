import { at, listAt, textAt } from "../../../infra/tree-objects.ts";
import { called, everything, findingAt, type Rule } from "./rule.ts";

/** The lists of containers that a pod has. */
export const containerLists = ["containers", "initContainers", "ephemeralContainers"];

/** Where kinds of Kubernetes have their pods. */
const podSpecs: Record<string, string[]> = {
  Pod: ["spec"],
  CronJob: ["spec", "jobTemplate", "spec", "template", "spec"],
};
const templateSpec = ["spec", "template", "spec"];

/** Where a kind has its pods. */
export const podSpecOf = (kind: string): string[] => podSpecs[kind] ?? templateSpec;

/** Whether an image says which one it is. */
export const isPinned = (image: string): boolean => {
  const [named = "", digest] = image.split("@");
  if (digest !== undefined) return true;
  const tag = /:([^/]+)$/.exec(named)?.[1];
  return tag !== undefined && tag !== "latest";
};

/** Images without a tag, or with a tag that moves. */
export const images: Rule = (tree) =>
  everything(tree).flatMap((object) => {
    const spec = podSpecOf(object.kind);
    return containerLists.flatMap((list) =>
      listAt(object.object, ...spec, list).flatMap((container, index) => {
        const image = textAt(container, "image");
        if (image === undefined || isPinned(image)) return [];
        return findingAt(tree, object, {
          path: [...spec, list, index, "image"],
          message: `${called(object)}: the image ${image} of ${String(at(container, "name"))} has no tag that stays`,
          advice: "name the release that is meant, with its tag or digest",
        });
      }),
    );
  });
