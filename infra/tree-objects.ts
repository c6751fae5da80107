/** An object of the GitOps tree. */
export interface TreeObject {
  apiVersion: string;
  kind: string;
  /** Undefined where the object says none. */
  namespace?: string;
  name: string;
  /** All of it. */
  object: unknown;
}

/** What is at a path of an object, undefined where there is nothing. */
export const at = (value: unknown, ...path: (string | number)[]): unknown =>
  path.reduce<unknown>(
    (inner, key) =>
      typeof inner === "object" && inner !== null ? (inner as Record<string | number, unknown>)[key] : undefined,
    value,
  );

/** The list at a path of an object, empty where there is none. */
export const listAt = (value: unknown, ...path: (string | number)[]): unknown[] => {
  const found = at(value, ...path);
  return Array.isArray(found) ? found : [];
};

/** The text at a path of an object, undefined where there is none. */
export const textAt = (value: unknown, ...path: (string | number)[]): string | undefined => {
  const found = at(value, ...path);
  return typeof found === "string" ? found : undefined;
};

/** An object's API group; empty for that of Pods. */
export const groupOf = ({ apiVersion }: { apiVersion: string }): string =>
  apiVersion.includes("/") ? (apiVersion.split("/")[0] ?? "") : "";

/** A manifest as an object of the tree. */
export const treeObject = (object: unknown): TreeObject => {
  const namespace = textAt(object, "metadata", "namespace");
  return {
    apiVersion: textAt(object, "apiVersion") ?? "",
    kind: textAt(object, "kind") ?? "",
    ...(namespace !== undefined && { namespace }),
    name: textAt(object, "metadata", "name") ?? "",
    object,
  };
};

/** The chart that a HelmRelease asks for. */
export interface AskedChart<Object extends TreeObject = TreeObject> {
  /** Kind of the object that it is fetched by, such as OCIRepository; empty where the release names none. */
  kind: string;
  /** That object, where the tree has it. */
  source: Object | undefined;
  name: string;
  version: string;
}

/** Whether an object is a release of Flux's. */
export const isRelease = (object: TreeObject): boolean =>
  object.kind === "HelmRelease" && groupOf(object) === "helm.toolkit.fluxcd.io";

/**
 * The chart that a release asks for: by its name in a repository, or by an object that stands for the chart, which may be in
 * another namespace.
 *
 * @param objects all of the cluster's
 */
export const chartOf = <Object extends TreeObject>(
  objects: readonly Object[],
  { object: release, namespace: own }: Pick<TreeObject, "object" | "namespace">,
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
