import type { RenderedObject } from "./render.ts";
import { groupOf, textAt } from "./rules/rule.ts";

/** The chart that a HelmRelease asks for. */
export interface AskedChart<Object extends RenderedObject = RenderedObject> {
  /** Kind of the object that it is fetched by, such as OCIRepository; empty where the release names none. */
  kind: string;
  /** That object, where the tree has it. */
  source: Object | undefined;
  name: string;
  version: string;
}

/** Whether an object is a release of Flux's. */
export const isRelease = (object: RenderedObject): boolean =>
  object.kind === "HelmRelease" && groupOf(object) === "helm.toolkit.fluxcd.io";

/**
 * The chart that a release asks for: by its name in a repository, or by an object that stands for the chart, which may be in
 * another namespace.
 *
 * @param objects all of the cluster's
 */
export const chartOf = <Object extends RenderedObject>(
  objects: readonly Object[],
  { object: release, namespace: own }: Pick<RenderedObject, "object" | "namespace">,
): AskedChart<Object> => {
  const isReferred = textAt(release, "spec", "chartRef", "kind") !== undefined;
  const path = isReferred ? ["spec", "chartRef"] : ["spec", "chart", "spec", "sourceRef"];
  const [kind = "", name, namespace = own] = ["kind", "name", "namespace"].map((key) => textAt(release, ...path, key));
  const source = objects.find((each) => each.kind === kind && each.name === name && each.namespace === namespace);
  const url = textAt(source?.object, "spec", "url") ?? "";
  return {
    ...{ kind, source },
    name: textAt(release, "spec", "chart", "spec", "chart") ?? url.split("/").at(-1) ?? "",
    version: textAt(release, "spec", "chart", "spec", "version") ?? textAt(source?.object, "spec", "ref", "tag") ?? "",
  };
};
