import type { JsonSchema } from "./json-schema.ts";
import { secretKeys } from "./secrets.ts";

/** A value that Pulumi encrypted. */
const secure = {
  type: "object",
  required: ["secure"],
  properties: {
    secure: { type: "string", description: "The encrypted value, written by `pulumi config set --secret`." },
  },
  additionalProperties: false,
};

/**
 * Returns the JSON Schema of a whole stack file, for editors. It allows all keys of other namespaces.
 *
 * @param document the schema of the keys under `hearth:`
 */
export const stackFileSchema = ({ properties = {}, required = [] }: JsonSchema): JsonSchema => {
  return {
    $schema: "http://json-schema.org/draft-07/schema#",
    title: "A stack of Hearth",
    description: "The configuration of one environment: its machines, cluster, network, edge and GitOps.",
    type: "object",
    required: ["config"],
    properties: {
      config: {
        type: "object",
        properties: {
          ...named(properties),
          ...Object.fromEntries(
            Object.entries(secretKeys).map(([key, description]) => [`hearth:${key}`, { ...secure, description }]),
          ),
        },
        required: required.map((key) => `hearth:${key}`),
        patternProperties: { "^(?!hearth:)": {} },
        additionalProperties: false,
      },
    },
  };
};

const named = (properties: Record<string, JsonSchema>): Record<string, JsonSchema> =>
  Object.fromEntries(Object.entries(properties).map(([key, schema]) => [`hearth:${key}`, schema]));

/** Returns the schema of the keys under `hearth:` from that of a stack file. */
export const unwrapped = (stackFile: JsonSchema): JsonSchema => ({
  properties: Object.fromEntries(
    Object.entries(stackFile.properties?.config?.properties ?? {}).map(([key, schema]) => [
      key.replace(/^hearth:/, ""),
      schema,
    ]),
  ),
});
