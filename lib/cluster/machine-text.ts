import { isDeepStrictEqual } from "node:util";

import { isMap, parseAllDocuments, stringify, type Document } from "yaml";

import { documentsOf } from "./machine-configuration.ts";

/** The text of a machine's configuration, as `talosctl get machineconfig --output yaml` prints it inside of a resource. */
export const printedText = (printed: string): string => {
  const resources = parseAllDocuments(printed).map((document) => document.toJS() as { spec?: unknown } | null);
  const spec = resources.find((each) => each?.spec !== undefined)?.spec;
  return typeof spec === "string" ? spec : stringify(spec, { lineWidth: 0 });
};

/** What talosctl is asked for a machine's configuration. */
export const askedForConfiguration = ["get", "machineconfig", "v1alpha1", "--output", "yaml"];

/**
 * Changes the main document of a machine's configuration, the one without a kind, and keeps the rest of the text.
 *
 * @param changes values by their path; undefined removes one
 */
export const changedText = (text: string, changes: readonly [path: string[], value: unknown][]): string => {
  const documents = parseAllDocuments(text) as Document[];
  const main = documents.find(({ contents }) => isMap(contents) && !contents.has("kind"));
  if (main === undefined) throw new Error("A machine's configuration lacks the document without a kind");
  for (const [path, value] of changes) {
    if (value === undefined) main.deleteIn(path);
    else main.setIn(path, main.createNode(value));
  }
  return documents
    .filter((document) => document.toJS() !== null)
    .map((document) => withoutStart(document).toString({ lineWidth: 0 }))
    .join("---\n");
};

/** A document that writes no `---` of its own: two of them are an empty document between, which Talos 1.12 cannot read. */
const withoutStart = (document: Document): Document => {
  if (document.directives) document.directives.docStart = null;
  return document;
};

/** Whether two texts are the same configuration but for what stands at some paths. */
export const differOnlyAt = (before: string, after: string, paths: readonly string[][]): boolean => {
  const rest = (text: string): unknown[] => documentsOf(text).map((document) => paths.reduce(withoutPath, document));
  return isDeepStrictEqual(rest(before), rest(after));
};

const withoutPath = (value: unknown, [key = "", ...rest]: readonly string[]): unknown => {
  if (typeof value !== "object" || value === null || !(key in value)) return value;
  const { [key]: inner, ...others } = value as Record<string, unknown>;
  return rest.length === 0 ? others : { ...others, [key]: withoutPath(inner, rest) };
};
