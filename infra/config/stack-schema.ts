import type { JsonSchema } from "./json-schema.ts";
import { secretKeys } from "./secrets.ts";

/** A value that Pulumi has encrypted. */
const secure = {
  type: "object",
  required: ["secure"],
  properties: {
    secure: { type: "string", description: "What Pulumi encrypted. Written by `pulumi config set --secret`." },
  },
  additionalProperties: false,
};

/**
 * JSON Schema of a whole stack file, for editors. Keys of other namespaces are left to whoever owns them.
 *
 * @param document the schema of what is under `hearth:`
 */
export const stackFileSchema = ({ properties = {}, required = [] }: JsonSchema): JsonSchema => {
  return {
    $schema: "http://json-schema.org/draft-07/schema#",
    title: "A stack of Hearth",
    description: "What a person edits: one environment's machines, cluster, network, edge and GitOps.",
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

/** The schema of what is under `hearth:`, from that of a stack file. */
export const unwrapped = (stackFile: JsonSchema): JsonSchema => ({
  properties: Object.fromEntries(
    Object.entries(stackFile.properties?.config?.properties ?? {}).map(([key, schema]) => [
      key.replace(/^hearth:/, ""),
      schema,
    ]),
  ),
});
