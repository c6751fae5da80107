import { expect } from "chai";
import { execa } from "execa";

import { runStack } from "../support/stack.ts";
import { tool } from "../support/tools.ts";

interface Property {
  type?: string;
  $ref?: string;
  items?: Property;
  additionalProperties?: Property;
}

interface Schema {
  resources: Record<string, { inputProperties?: Record<string, Property>; requiredInputs?: string[] }>;
  functions: Record<string, { inputs?: { properties?: Record<string, Property>; required?: string[] } }>;
  types: Record<string, { properties?: Record<string, Property> }>;
}

const schemas = new Map<string, Promise<Schema>>();

const schemaOf = (plugin: string): Promise<Schema> => {
  const known = schemas.get(plugin);
  if (known) return known;
  const fetched = fetchSchema(plugin);
  schemas.set(plugin, fetched);
  return fetched;
};

const fetchSchema = async (plugin: string): Promise<Schema> => {
  const [pulumi, binary] = await Promise.all([tool("pulumi"), tool(`pulumi-resource-${plugin}`)]);
  const { stdout } = await execa(pulumi, ["package", "get-schema", binary], {
    env: { PULUMI_SKIP_UPDATE_CHECK: "1" },
    maxBuffer: 2 ** 28,
  });
  return JSON.parse(stdout) as Schema;
};

/** Paths of what is sent and the schema does not know. */
const unknownPaths = (schema: Schema, value: unknown, property: Property | undefined, path: string): string[] => {
  if (!property) return [path];
  if (Array.isArray(value))
    return value.flatMap((item, i) => unknownPaths(schema, item, property.items, `${path}[${i}]`));
  if (typeof value !== "object" || value === null) return [];
  const reference = property.$ref?.replace("#/types/", "");
  const properties = reference === undefined ? undefined : schema.types[decodeURIComponent(reference)]?.properties;
  return Object.entries(value).flatMap(([key, inner]) =>
    unknownPaths(schema, inner, properties?.[key] ?? property.additionalProperties, `${path}.${key}`),
  );
};

describe("the plugins' tokens", () => {
  for (const plugin of ["talos", "proxmoxve"]) {
    it(`of ${plugin} have every resource that the program registers, with the inputs it sends`, async () => {
      const schema = await schemaOf(plugin);
      const used = (await runStack()).resources.filter(({ type }) => type.startsWith(`${plugin}:`));
      expect(used).not.to.have.lengthOf(0);
      for (const { type, inputs } of used) {
        const resource = schema.resources[type];
        expect(resource, type).not.to.equal(undefined);
        const sent = Object.fromEntries(Object.entries(inputs).filter(([, value]) => value !== undefined));
        const unknown = Object.entries(sent).flatMap(([key, value]) =>
          unknownPaths(schema, value, resource?.inputProperties?.[key], key),
        );
        expect(unknown, `inputs of ${type}`).to.deep.equal([]);
        expect(Object.keys(sent), `inputs of ${type}`).to.include.members(resource?.requiredInputs ?? []);
      }
    });
  }

  it("of talos have every function that the program calls, with the inputs it sends", async () => {
    const schema = await schemaOf("talos");
    const used = (await runStack()).calls.filter(({ token }) => token.startsWith("talos:"));
    expect(used).not.to.have.lengthOf(0);
    for (const { token, inputs } of used) {
      const declared = schema.functions[token]?.inputs;
      expect(declared, token).not.to.equal(undefined);
      const unknown = Object.entries(inputs).flatMap(([key, value]) =>
        unknownPaths(schema, value, declared?.properties?.[key], key),
      );
      expect(unknown, `inputs of ${token}`).to.deep.equal([]);
      expect(Object.keys(inputs), `inputs of ${token}`).to.include.members(declared?.required ?? []);
    }
  });
});
