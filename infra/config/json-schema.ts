/** The parts of a JSON Schema that Hearth reads. */
export interface JsonSchema {
  $schema?: string;
  title?: string;
  type?: string;
  description?: string;
  default?: unknown;
  examples?: unknown[];
  enum?: unknown[];
  const?: unknown;
  properties?: Record<string, JsonSchema>;
  required?: string[];
  patternProperties?: Record<string, JsonSchema>;
  additionalProperties?: JsonSchema | boolean;
  items?: JsonSchema;
  anyOf?: JsonSchema[];
  oneOf?: JsonSchema[];
}

/** Returns the schema at a path, or undefined if nothing is known of it. */
export const documentAt = (schema: JsonSchema | undefined, path: PropertyKey[]): JsonSchema | undefined => {
  if (!schema || path.length === 0) return schema;
  const alternatives = schema.anyOf ?? schema.oneOf;
  if (alternatives) return alternatives.map((each) => documentAt(each, path)).find((found) => found !== undefined);
  const [key = "", ...rest] = path;
  if (typeof key === "number") return documentAt(schema.items, rest);
  const { additionalProperties } = schema;
  const inner =
    schema.properties?.[String(key)] ?? (typeof additionalProperties === "object" ? additionalProperties : undefined);
  return documentAt(inner, rest);
};

/** Returns the constants that distinguish the alternatives of a schema, such as `platform: metal`. */
const constantsOf = ({ properties = {} }: JsonSchema): [key: string, value: unknown][] =>
  Object.entries(properties).flatMap(([key, inner]) => (inner.const === undefined ? [] : [[key, inner.const]]));

/** Returns the keys that a value may have. Of several alternatives, it uses the one that the value chose. */
export const keysAt = (schema: JsonSchema | undefined, value: unknown): string[] => {
  const alternatives = schema?.anyOf ?? schema?.oneOf ?? [];
  const given = typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
  const chosen = alternatives.find((each) => constantsOf(each).every(([key, constant]) => given[key] === constant));
  return Object.keys(schema?.properties ?? chosen?.properties ?? {});
};

/** Returns the setting that selects the alternative with a key, such as `platform: proxmox`. */
export const ownerOf = (key: string, schema: JsonSchema): string | undefined => {
  const owners = (schema.anyOf ?? schema.oneOf ?? []).filter(({ properties = {} }) => key in properties);
  const [constant] = owners.flatMap(constantsOf);
  return constant && `${constant[0]}: ${String(constant[1])}`;
};

/** Returns an example of a valid value, as a person writes it in YAML. */
export const exampleOf = (schema: JsonSchema | undefined): string | undefined => {
  const example = schema?.examples?.[0] ?? schema?.enum?.[0];
  if (example === undefined) return undefined;
  return typeof example === "string" ? example : JSON.stringify(example);
};
