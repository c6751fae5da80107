import { listAt, textAt } from "../../../infra/tree-objects.ts";
import type { RenderedKustomization } from "../render.ts";

/** The Kustomizations that one waits for by itself, as `namespace/name`. */
export const directDependencies = ({ object }: RenderedKustomization): string[] =>
  listAt(object, "spec", "dependsOn").map(
    (each) => `${textAt(each, "namespace") ?? object.metadata.namespace ?? ""}/${textAt(each, "name") ?? ""}`,
  );

/** Whether a Kustomization is the other, or waits for it by way of `dependsOn`, or is applied by it. */
export const reaches = (
  { kustomizations, objects }: { kustomizations: RenderedKustomization[]; objects: Owned[] },
  from: string,
  to: string,
): boolean => {
  const known = new Map(kustomizations.map((each) => [each.name, each]));
  const owners = new Map(
    objects.filter(isKustomization).map((each) => [`${each.namespace ?? ""}/${each.name}`, each.kustomization]),
  );
  const seen = new Set<string>();
  const search = (name: string): boolean => {
    if (name === to) return true;
    if (seen.has(name)) return false;
    seen.add(name);
    const kustomization = known.get(name);
    const owner = known.get(owners.get(name) ?? "");
    const next = kustomization === undefined ? [] : directDependencies(kustomization);
    // A Kustomization is there only after what applies it began, and may wait for what that one waits for.
    const inherited = owner === undefined ? [] : directDependencies(owner);
    return [...next, ...inherited].some(search);
  };
  return search(from);
};

interface Owned {
  apiVersion: string;
  kind: string;
  namespace?: string;
  name: string;
  kustomization: string;
}

const isKustomization = ({ apiVersion, kind }: Owned): boolean =>
  kind === "Kustomization" && apiVersion.startsWith("kustomize.toolkit.fluxcd.io/");
