import { isDeepStrictEqual } from "node:util";

import { diffArrays } from "diff";

import { secretIn } from "../../components/secrets/looks-secret.ts";
import type { Fingerprints } from "./fingerprints.ts";
import { isValues, Secret, Unknown, type Value, type Values } from "../../lib/engine/value.ts";

/** A property that changes: its path, and its values before and after as they may be shown. */
export interface PropertyChange {
  /** @example "disks[0].size" */
  path: string;
  /** Undefined if the property is new. */
  before: string | undefined;
  /** Undefined if the property is removed. */
  after: string | undefined;
}

/** Maximum number of characters of a value that are shown. */
const longest = 160;

/** Returns the differences between properties, down to single values. Secrets become fingerprints. */
export const propertyDiff = (before: Values, after: Values, fingerprints: Fingerprints): PropertyChange[] =>
  differences(before, after, "").map(({ path, from, to }) => ({
    path,
    before: from === undefined ? undefined : shown(from, fingerprints, nameAt(path)),
    after: to === undefined ? undefined : shown(to, fingerprints, nameAt(path)),
  }));

interface Difference {
  path: string;
  from: Value | undefined;
  to: Value | undefined;
}

const differences = (from: Value | undefined, to: Value | undefined, path: string): Difference[] => {
  if (isValues(from) && isValues(to)) {
    return [...new Set([...Object.keys(from), ...Object.keys(to)])]
      .filter((name) => !isInternal(name))
      .flatMap((name) => differences(from[name], to[name], path === "" ? name : `${path}.${name}`));
  }
  if (Array.isArray(from) && Array.isArray(to)) return listDifferences(from, to, path);
  return isSame(from, to) ? [] : [{ path, from, to }];
};

/** Returns added and removed items. Where a change keeps the number of items, it compares them one by one. */
const listDifferences = (from: Value[], to: Value[], path: string): Difference[] => {
  const found: Difference[] = [];
  let [old, now] = [0, 0];
  const parts = diffArrays(from, to, { comparator: (a, b) => isSame(a, b) });
  parts.forEach(({ added, removed, count }, index) => {
    const next = parts[index + 1];
    if (removed && next?.added && next.count === count) {
      for (let i = 0; i < count; i += 1) found.push(...differences(from[old + i], to[now + i], `${path}[${now + i}]`));
    } else if (removed) {
      for (let i = 0; i < count; i += 1)
        found.push({ path: `${path}[${old + i}]`, from: from[old + i], to: undefined });
    } else if (added && !isPairOf(parts[index - 1], count)) {
      for (let i = 0; i < count; i += 1) found.push({ path: `${path}[${now + i}]`, from: undefined, to: to[now + i] });
    }
    if (!added) old += count;
    if (!removed) now += count;
  });
  return found;
};

/** Whether a part of a list was replaced by the same number of items. */
const isPairOf = (previous: { removed: boolean; count: number } | undefined, count: number): boolean =>
  previous?.removed === true && previous.count === count;

/** Internal names of the engine and its bridges. */
const isInternal = (name: string): boolean => name.startsWith("__");

/** Compares values regardless of their secret marks. An unknown value is never the same. */
const isSame = (from: Value | undefined, to: Value | undefined): boolean =>
  isDeepStrictEqual(unmarked(from), unmarked(to)) && !(to instanceof Unknown);

const unmarked = (value: Value | undefined): Value | undefined => (value instanceof Secret ? value.value : value);

/** The name at the end of a path such as `disks[0].size`. */
const nameAt = (path: string): string =>
  path
    .replace(/\[\d+\]$/, "")
    .split(".")
    .at(-1) ?? "";

/**
 * Writes a value in one line, as it may be shown.
 *
 * @param name key of the value; a value counts as a secret if it looks like one or its key does
 */
export const shown = (value: Value, fingerprints: Fingerprints, name = ""): string => {
  const text = written(value, fingerprints, name);
  return text.length > longest ? `${text.slice(0, longest)}…` : text;
};

const written = (value: Value, fingerprints: Fingerprints, name: string): string => {
  if (value instanceof Unknown) return "(not known yet)";
  if (value instanceof Secret) return value.value instanceof Unknown ? "(not known yet)" : fingerprints.print(value);
  if (Array.isArray(value)) return `[${value.map((each) => written(each, fingerprints, name)).join(", ")}]`;
  if (typeof value === "string" && secretIn(name, value) !== undefined) return fingerprints.print(value);
  if (!isValues(value)) return JSON.stringify(value);
  const entries = Object.entries(value).filter(([name]) => !isInternal(name));
  return `{${entries.map(([key, inner]) => `${key}: ${written(inner, fingerprints, key)}`).join(", ")}}`;
};
