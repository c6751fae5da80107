import { isDeepStrictEqual } from "node:util";

import { stringify } from "yaml";

import type { RenderedObject } from "../../lib/tree/render.ts";
import { treeDanger, type Danger } from "./danger.ts";
import type { Fingerprints } from "./fingerprints.ts";
import { yamlDiff } from "./line-diff.ts";

/** The part of an object, as Flux would apply it, that a preview reads. */
export interface TreeObject extends RenderedObject {
  /** Values that are encrypted in Git, by path; undefined if there are none. */
  encrypted?: Record<string, string>;
}

/** An object of the tree that is added, changed or removed. */
export interface TreeChange {
  operation: "add" | "change" | "remove";
  kind: string;
  /** `namespace/name`, or the name if there is no namespace. */
  name: string;
  kustomization: string;
  file: string;
  /** The lines that differ; empty for a removed object. */
  lines: string[];
  danger: Danger | undefined;
}

/** Returns the differences between two rendered trees, dangerous removals first. */
export const treeChanges = (
  base: readonly TreeObject[],
  head: readonly TreeObject[],
  fingerprints: Fingerprints,
): TreeChange[] => {
  const [before, after] = [byKey(base), byKey(head)];
  const removed = [...before]
    .filter(([key]) => !after.has(key))
    .map(([, old]) => changeOf("remove", old, [], old.kind));
  const added = [...after]
    .filter(([key]) => !before.has(key))
    .map(([, now]) => changeOf("add", now, yamlDiff("", shownObject(now, fingerprints)).slice(1)));
  const changed = [...after].flatMap(([key, now]) => {
    const old = before.get(key);
    if (old === undefined) return [];
    const lines = objectDiff(old, now, fingerprints);
    return lines.length === 0 ? [] : [changeOf("change", now, lines)];
  });
  return [
    ...removed.sort((a, b) => Number(b.danger !== undefined) - Number(a.danger !== undefined)),
    ...changed,
    ...added,
  ];
};

const byKey = (objects: readonly TreeObject[]): Map<string, TreeObject> =>
  new Map(
    objects.map((each) => [
      [each.apiVersion.split("/").slice(0, -1).join("/"), each.kind, each.namespace ?? "", each.name].join("|"),
      each,
    ]),
  );

const changeOf = (
  operation: TreeChange["operation"],
  { kind, namespace, name, kustomization, file }: TreeObject,
  lines: string[],
  lost?: string,
): TreeChange => ({
  operation,
  kind,
  name: namespace === undefined ? name : `${namespace}/${name}`,
  kustomization,
  file,
  lines,
  danger: lost === undefined ? undefined : treeDanger(lost),
});

const objectDiff = (old: TreeObject, now: TreeObject, fingerprints: Fingerprints): string[] => [
  ...(old.kustomization === now.kustomization
    ? []
    : [`- # applied by ${old.kustomization}`, `+ # applied by ${now.kustomization}`]),
  ...(isDeepStrictEqual(old.object, now.object) && isDeepStrictEqual(old.encrypted, now.encrypted)
    ? []
    : yamlDiff(shownObject(old, fingerprints), shownObject(now, fingerprints))),
];

/** Writes an object as YAML, with fingerprints for its secrets. */
const shownObject = ({ kind, object, encrypted }: TreeObject, fingerprints: Fingerprints): string => {
  const values = object as Record<string, unknown>;
  const redact = (section: unknown, name: string): unknown =>
    typeof section === "object" && section !== null
      ? Object.fromEntries(
          Object.entries(section).map(([key, value]) => [
            key,
            fingerprints.print(encrypted?.[`${name}.${key}`] ?? JSON.stringify(value)),
          ]),
        )
      : section;
  const redacted =
    kind === "Secret"
      ? {
          ...values,
          ...("data" in values && { data: redact(values.data, "data") }),
          ...("stringData" in values && { stringData: redact(values.stringData, "stringData") }),
        }
      : { ...values, ...otherEncrypted(encrypted, fingerprints) };
  return stringify(redacted, { lineWidth: 0, sortMapEntries: true, aliasDuplicateObjects: false });
};

/** Encrypted values of an object that is not a Secret, shown beside it. */
const otherEncrypted = (encrypted: Record<string, string> | undefined, fingerprints: Fingerprints) =>
  encrypted === undefined
    ? {}
    : {
        "(encrypted)": Object.fromEntries(
          Object.entries(encrypted).map(([path, value]) => [path, fingerprints.print(value)]),
        ),
      };
