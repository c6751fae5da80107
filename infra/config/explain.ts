import type { z } from "zod";

import type { ConfigurationProblem } from "./error.ts";
import { documentAt, exampleOf, keysAt, ownerOf, type JsonSchema } from "./json-schema.ts";
import { advise, nearest } from "./nearest.ts";
import { show } from "./show.ts";

/** The number of keys that fit into one line of advice. */
const manageable = 8;

type Issue = z.core.$ZodIssue;

/**
 * Turns zod's issues into problems for a person.
 *
 * @param raw the parsed value
 * @param document JSON Schema of the whole configuration, for examples and known keys
 */
export const explain = (issues: Issue[], raw: unknown, document: JsonSchema): ConfigurationProblem[] =>
  issues.flatMap((issue) => explainIssue(issue, raw, document));

const explainIssue = (issue: Issue, raw: unknown, document: JsonSchema): ConfigurationProblem[] => {
  const { path } = issue;
  const at = documentAt(document, path);
  if (issue.code === "unrecognized_keys") {
    const known = keysAt(at, valueAt(raw, path));
    return issue.keys.map((key) => unknownKey([...path, key], known, at));
  }
  const value = valueAt(raw, path);
  if (issue.code === "invalid_key") {
    const [problem, advice] = split(issue.issues[0]?.message ?? "");
    return [{ path, problem: `${String(path.at(-1))} ${problem}`, advice }];
  }
  const isTold = issue.code === "custom" || (issue.code === "invalid_union" && issue.message.includes("\n"));
  if ((value === undefined || value === null) && !isTold) {
    return [{ path, problem: "is missing", advice: `add it${suchAs(at)}` }];
  }
  if (issue.code === "invalid_union" && !issue.message.includes("\n")) {
    const branch = nearestBranch(issue.errors);
    if (branch)
      return explain(
        branch.map((each) => ({ ...each, path: [...path, ...each.path] })),
        raw,
        document,
      );
  }
  const [predicate, advice] = predicateOf(issue, value, at);
  const shown = show(value);
  return [{ path, problem: shown === undefined ? predicate : `${shown} ${predicate}`, advice }];
};

const unknownKey = (path: PropertyKey[], known: string[], at: JsonSchema | undefined): ConfigurationProblem => {
  const key = String(path.at(-1));
  const owner = at && ownerOf(key, at);
  if (owner !== undefined) {
    return { path, problem: `has no effect without ${owner}`, advice: `write ${owner} beside it, or remove it` };
  }
  return {
    path,
    problem: "is not a key that Hearth knows",
    advice:
      known.length > manageable && !nearest(key, known)
        ? "remove it; docs/reference/configuration.md has all keys"
        : advise(key, known),
  };
};

/** What is wrong with a value, and what to write instead. A schema's own message takes precedence. */
const predicateOf = (issue: Issue, value: unknown, at: JsonSchema | undefined): [string, string] => {
  if (issue.message.includes("\n")) return split(issue.message);
  switch (issue.code) {
    case "invalid_type":
      return wrongType(issue.expected, value, at);
    case "invalid_value": {
      const known = issue.values.map(String);
      return ["is not one of its values", advise(String(value), known)];
    }
    case "too_small":
      return Array.isArray(value)
        ? ["is too short", `list at least ${String(issue.minimum)}`]
        : ["is too small", `give at least ${String(issue.minimum)}`];
    case "too_big":
      return Array.isArray(value)
        ? ["is too long", `list at most ${String(issue.maximum)}`]
        : ["is too big", `give at most ${String(issue.maximum)}`];
    default:
      return [issue.message.charAt(0).toLowerCase() + issue.message.slice(1), at ? `write it${suchAs(at)}` : ""];
  }
};

const wrongType = (expected: string, value: unknown, at: JsonSchema | undefined): [string, string] => {
  if (expected === "int" && typeof value === "number") return ["has a fraction", "give a whole number"];
  const problem = `is ${kindOf(value)}, not ${kinds[expected] ?? expected}`;
  const example = suchAs(at);
  if (expected === "string" && example === "") return [problem, `put it into quotes: "${String(value)}"`];
  return [problem, `write ${kinds[expected] ?? expected}${example}`];
};

const split = (message: string): [string, string] => {
  const [problem = "", advice = ""] = message.split("\n");
  return [problem, advice];
};

/** The alternative that the person most likely meant: the one that failed deepest, and there with the fewest issues. */
const nearestBranch = (branches: Issue[][]): Issue[] | undefined => {
  const depth = (issues: Issue[]) => Math.max(0, ...issues.map(({ path }) => path.length));
  return branches.toSorted((a, b) => depth(b) - depth(a) || a.length - b.length)[0];
};

const kinds: Record<string, string> = {
  string: "a text",
  number: "a number",
  int: "a whole number",
  boolean: "true or false",
  array: "a list",
  object: "a group of keys",
  record: "a group of keys",
};

const kindOf = (value: unknown): string => {
  if (Array.isArray(value)) return "a list";
  if (typeof value === "boolean") return "a boolean";
  return kinds[typeof value] ?? typeof value;
};

const suchAs = (at: JsonSchema | undefined): string => {
  const example = exampleOf(at);
  if (example !== undefined) return `, such as ${example}`;
  return at?.description === undefined ? "" : `: ${at.description}`;
};

const valueAt = (raw: unknown, path: PropertyKey[]): unknown =>
  path.reduce<unknown>(
    (value, key) =>
      typeof value === "object" && value !== null ? (value as Record<PropertyKey, unknown>)[key] : undefined,
    raw,
  );
