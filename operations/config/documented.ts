import { join } from "node:path";

import ts from "typescript";

import type { JsonSchema } from "../../infra/config/json-schema.ts";

/**
 * Adds the comments in `infra/config` to a JSON Schema of the configuration, by key.
 *
 * The type inferred from the zod schema still refers to the declaration of every key, and so to its comment. So the meaning of a
 * key is written once, where the key is declared.
 */
export const documented = (schema: JsonSchema, root: string): JsonSchema => {
  const { checker, type } = configurationType(root);
  return describe(schema, type, checker);
};

const configurationType = (root: string) => {
  const { config } = ts.readConfigFile(join(root, "tsconfig.json"), ts.sys.readFile.bind(ts.sys)) as {
    config: unknown;
  };
  const { options } = ts.parseJsonConfigFileContent(config, ts.sys, root);
  const file = join(root, "infra/config/schema.ts");
  const program = ts.createProgram([file], { ...options, types: ["node"] });
  const checker = program.getTypeChecker();
  const source = program.getSourceFile(file);
  const module = source && checker.getSymbolAtLocation(source);
  const symbol = module && checker.getExportsOfModule(module).find(({ name }) => name === "HearthConfig");
  if (!symbol) throw new Error(`${file} exports no type HearthConfig`);
  return { checker, type: checker.getDeclaredTypeOfSymbol(symbol) };
};

const describe = (schema: JsonSchema, type: ts.Type, checker: ts.TypeChecker): JsonSchema => {
  const types = members(type, checker);
  const alternatives = (branches: JsonSchema[] | undefined) =>
    branches?.map((branch) => describe(branch, type, checker));
  const [anyOf, oneOf] = [alternatives(schema.anyOf), alternatives(schema.oneOf)];
  const each = types.flatMap(
    (member) =>
      checker.getIndexInfoOfType(member, schema.items ? ts.IndexKind.Number : ts.IndexKind.String)?.type ?? [],
  )[0];
  return {
    ...schema,
    ...(anyOf && { anyOf }),
    ...(oneOf && { oneOf }),
    ...(schema.items && each && { items: describe(schema.items, each, checker) }),
    ...(typeof schema.additionalProperties === "object" &&
      each && { additionalProperties: describe(schema.additionalProperties, each, checker) }),
    ...(schema.properties && { properties: properties(schema.properties, types, checker) }),
  };
};

const properties = (schemas: Record<string, JsonSchema>, types: ts.Type[], checker: ts.TypeChecker) => {
  const [type] = types
    .map((member) => ({ member, unknown: mismatch(member, Object.keys(schemas), checker) }))
    .sort((a, b) => a.unknown - b.unknown);
  return Object.fromEntries(
    Object.entries(schemas).map(([key, schema]) => {
      const symbol = type && checker.getPropertyOfType(type.member, key);
      if (!symbol) return [key, schema];
      return [
        key,
        { ...comment(symbol, schema, checker), ...describe(schema, checker.getTypeOfSymbol(symbol), checker) },
      ];
    }),
  );
};

/** Counts the keys that a type and a schema do not share. */
const mismatch = (type: ts.Type, keys: string[], checker: ts.TypeChecker): number => {
  const own = checker.getPropertiesOfType(type).map(({ name }) => name);
  return keys.filter((key) => !own.includes(key)).length + own.filter((key) => !keys.includes(key)).length;
};

/** The object types in a type. */
const members = (type: ts.Type, checker: ts.TypeChecker): ts.Type[] => {
  const present = checker.getNonNullableType(type);
  return (present.isUnion() ? present.types : [present]).filter(({ flags }) => flags & ts.TypeFlags.Object);
};

const comment = (symbol: ts.Symbol, schema: JsonSchema, checker: ts.TypeChecker): JsonSchema => {
  const tags = symbol.getJsDocTags(checker).map(({ name, text }) => [name, ts.displayPartsToString(text)] as const);
  const tag = (wanted: string) => tags.find(([name]) => name === wanted)?.[1];
  const [text, fallback, example] = [
    ts.displayPartsToString(symbol.getDocumentationComment(checker)),
    tag("default"),
    tag("example"),
  ];
  // Editors already show a default that is in the schema.
  const told = fallback === undefined || schema.default !== undefined;
  const description = [text.replaceAll("\n", " "), ...(told ? [] : [`Default: ${fallback}.`])]
    .filter(Boolean)
    .join(" ");
  return { ...(description && { description }), ...(example !== undefined && { examples: [parsed(example)] }) };
};

const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
};
