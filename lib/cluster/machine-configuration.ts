import { isDeepStrictEqual } from "node:util";

import { parseAllDocuments } from "yaml";

/** What `talosctl get machineconfig --output yaml` prints of a machine: a resource each, the configuration as text or as an object. */
interface Printed {
  spec?: unknown;
}

/** The documents of a machine's configuration, as talosctl prints it. */
export const printedDocuments = (printed: string): unknown[] => {
  const resources = parseAllDocuments(printed).map((document) => document.toJS() as Printed | null);
  const spec = resources.find((each) => each?.spec !== undefined)?.spec;
  return typeof spec === "string" ? documentsOf(spec) : [spec];
};

/** The documents of a machine's configuration. */
export const documentsOf = (text: string): unknown[] =>
  parseAllDocuments(text)
    .map((document) => document.toJS() as unknown)
    .filter((document) => document !== null);

/** The paths at which two configurations differ, without what stands there: it may be secret. */
export const differences = (running: unknown[], rendered: unknown[]): string[] => {
  const names = [...new Set([...running, ...rendered].map(nameOf))];
  const of = (documents: unknown[], name: string): unknown => documents.find((each) => nameOf(each) === name);
  return names.flatMap((name) => below(of(running, name), of(rendered, name), name));
};

const nameOf = (document: unknown): string => {
  const { kind, name } = (document ?? {}) as { kind?: string; name?: string };
  return [kind, name].filter((part) => part !== undefined).join(" ");
};

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const below = (one: unknown, other: unknown, path: string): string[] => {
  if (isDeepStrictEqual(one, other)) return [];
  if (!isObject(one) || !isObject(other)) return [path === "" ? "all of it" : path];
  const keys = [...new Set([...Object.keys(one), ...Object.keys(other)])];
  return keys.flatMap((key) => below(one[key], other[key], path === "" ? key : `${path}.${key}`));
};
