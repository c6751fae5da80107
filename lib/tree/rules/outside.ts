import { posix } from "node:path";

import { listAt, textAt } from "../../../infra/tree-objects.ts";
import { outsideOf } from "../outside.ts";
import type { Sources } from "../sources.ts";
import { isFluxKustomization, type Rule } from "./rule.ts";

/** Kustomizations that take something from outside of the repository, which nobody reviews with it. */
export const outside: Rule = ({ kustomizations, objects, sources }) => {
  const files = new Set(objects.filter(isFluxKustomization).map(({ file }) => file));
  for (const { object } of kustomizations)
    followKustomization(sources, posix.join(textAt(object, "spec", "path") ?? "."), files);
  return [...files].flatMap((file) =>
    outsideOf(file, sources.textOf(file), (path) => sources.exists(path)).map((reference) => {
      const line = sources.lineNear(file, reference);
      return {
        file,
        ...(line !== undefined && { line }),
        message: `${reference} is no path inside the repository`,
        advice: "copy what it names into the tree",
      };
    }),
  );
};

/** Adds a folder's kustomization, and those of the folders that it names. */
export const followKustomization = (sources: Sources, folder: string, files: Set<string>): void => {
  const file = posix.join(folder, "kustomization.yaml");
  if (files.has(file) || !sources.exists(file)) return;
  files.add(file);
  for (const content of sources.contentsOf(file)) {
    for (const entry of ["resources", "components", "bases"].flatMap((list) => listAt(content, list))) {
      if (typeof entry === "string") followKustomization(sources, posix.join(folder, entry), files);
    }
  }
};
