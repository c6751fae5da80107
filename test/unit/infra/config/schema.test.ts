import { readFileSync } from "node:fs";

import { expect } from "chai";
import { parse } from "yaml";
import { z } from "zod";

import { schemaPath, written } from "../../../../operations/config/schema.ts";
import type { JsonSchema } from "../../../../infra/config/json-schema.ts";

const root = new URL("../../../../", import.meta.url);

const read = (file: string): string => readFileSync(new URL(file, root), "utf8");

const committed = JSON.parse(read(schemaPath)) as JsonSchema;

/** Every key of a schema with its path. */
const keysOf = (schema: JsonSchema, path = ""): [path: string, schema: JsonSchema][] => [
  ...Object.entries(schema.properties ?? {}).flatMap(([key, inner]): [string, JsonSchema][] => [
    [`${path}.${key}`, inner],
    ...keysOf(inner, `${path}.${key}`),
  ]),
  ...[...(schema.anyOf ?? []), ...(schema.oneOf ?? [])].flatMap((inner) => keysOf(inner, path)),
  ...(schema.items ? keysOf(schema.items, `${path}[]`) : []),
  ...(typeof schema.additionalProperties === "object" ? keysOf(schema.additionalProperties, `${path}.*`) : []),
];

describe("the JSON Schema of stack files", () => {
  it("and the reference, as committed, are the program's; otherwise run: npx hearth schema", async function () {
    // The comments on the keys are read by TypeScript's compiler.
    this.timeout(60_000);
    for (const [file, text] of Object.entries(await written(root.pathname))) expect(read(file), file).to.equal(text);
  });

  it("says of every key what it is", () => {
    const inside = committed.properties?.config ?? {};
    const silent = keysOf(inside).filter(([, { description }]) => !description || description.startsWith("Default:"));
    expect(silent.map(([path]) => path)).to.deep.equal([]);
  });

  for (const stack of ["dev", "prod"]) {
    it(`accepts Pulumi.${stack}.yaml, which names it`, () => {
      const text = read(`Pulumi.${stack}.yaml`);
      expect(text).to.contain(`yaml-language-server: $schema=${schemaPath}\n`);
      const checked = z.fromJSONSchema(committed as z.core.JSONSchema.JSONSchema).safeParse(parse(text));
      expect(checked.error?.issues ?? []).to.deep.equal([]);
    });
  }

  it("refuses what the program refuses", () => {
    const schema = z.fromJSONSchema(committed as z.core.JSONSchema.JSONSchema);
    const stack = parse(read("Pulumi.dev.yaml")) as { config: Record<string, Record<string, unknown>> };
    const withChange = (key: string, change: Record<string, unknown>) => ({
      config: { ...stack.config, [key]: { ...stack.config[key], ...change } },
    });
    expect(schema.safeParse(withChange("hearth:cluster", { colour: "red" })).success).to.equal(false);
    expect(schema.safeParse(withChange("hearth:cluster", { talos: "1.13" })).success).to.equal(false);
    expect(schema.safeParse(withChange("hearth:clutser", {})).success).to.equal(false);
    expect(schema.safeParse(withChange("hearth:cluster", { vip: "10.20.0.9" })).success).to.equal(true);
  });
});
