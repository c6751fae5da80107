import type { JsonSchema } from "../../infra/config/json-schema.ts";

const introduction = `# Configuration

<!-- Written by \`npx hearth schema\` from the comments in infra/config; change them there. -->

\`Pulumi.<stack>.yaml\` is what a person edits. All keys are under \`hearth:\`, each a group of its own, and validated as one:
every problem is reported at once, with its path, what is wrong and what to write instead.

| command | does |
| --- | --- |
| \`npx hearth check [STACK…]\` | validates stack files without Pulumi, each by itself and against the others |
| \`npx hearth inventory\` | lists the nodes of all stacks |
| \`npx hearth init STACK\` | writes a new stack file; \`init --help\` lists the flags that answer its questions |
| \`npx hearth schema\` | writes \`infra/config.schema.json\`, by which editors complete and check stack files, and this page |

Names follow \`<site>-<env>-<purpose><serial>\`, such as \`den-dev-cp01\`; a cluster's is \`<site>-<env>\`.
`;

/** The reference of all keys, in Markdown, from the JSON Schema of stack files. */
export const reference = (stackFile: JsonSchema): string => {
  const parts = Object.entries(stackFile.properties?.config?.properties ?? {});
  const [secrets, groups] = [parts.filter(([, part]) => isSecret(part)), parts.filter(([, part]) => !isSecret(part))];
  return [
    introduction,
    ...groups.map(([name, part]) =>
      section(name, part, stackFile.properties?.config?.required?.includes(name) ?? false),
    ),
    "## Secrets\n",
    "Set with `pulumi config set --secret KEY`.\n",
    table(
      ["key", "what"],
      secrets.map(([name, { description = "" }]) => [`\`${name}\``, description]),
    ),
  ].join("\n");
};

const isSecret = ({ required }: JsonSchema): boolean => required?.length === 1 && required[0] === "secure";

const section = (name: string, part: JsonSchema, required: boolean): string => {
  const keys = rows(part, "");
  const optional = part.default === undefined || keys.length > 0 ? "Optional." : `Default: \`${plain(part.default)}\`.`;
  return [
    `## ${name}\n`,
    `${part.description ?? ""}${required ? "" : ` ${optional}`}\n`,
    ...(keys.length > 0 ? [table(["key", "what", "default"], keys)] : []),
  ].join("\n");
};

const rows = (schema: JsonSchema, path: string): string[][] => {
  const branches = schema.anyOf ?? schema.oneOf ?? [];
  return [
    ...Object.entries(schema.properties ?? {}).flatMap(([key, inner]) => [
      row(`${path}${key}`, inner, schema.required?.includes(key) ?? false),
      ...rows(inner, `${path}${key}.`),
    ]),
    ...distinct(withValues(branches).flatMap((branch) => rows(branch, path))),
    ...(schema.items ? rows(schema.items, `${path.slice(0, -1)}[].`) : []),
    ...(typeof schema.additionalProperties === "object" ? rows(schema.additionalProperties, `${path}<name>.`) : []),
  ];
};

/** Merges the values of a key that distinguishes alternatives, for the reader. */
const withValues = (branches: JsonSchema[]): JsonSchema[] =>
  branches.map((branch) => ({
    ...branch,
    properties: Object.fromEntries(
      Object.entries(branch.properties ?? {}).map(([key, inner]) => {
        const values = branches.flatMap(({ properties = {} }) => properties[key]?.const ?? []);
        return [key, inner.const === undefined ? inner : { ...inner, enum: values }];
      }),
    ),
  }));

/** Keeps the first row of each key, since alternatives share keys. */
const distinct = (all: string[][]): string[][] =>
  all.filter(([key], index) => all.findIndex((each) => each[0] === key) === index);

const row = (path: string, schema: JsonSchema, required: boolean): string[] => {
  const [, text = "", told] = /^(.*?)(?: ?Default: (.*)\.)?$/s.exec(schema.description ?? "") ?? [];
  const values = schema.enum ? ` One of ${schema.enum.map((value) => `\`${String(value)}\``).join(", ")}.` : "";
  const example = schema.examples?.[0];
  const such = example === undefined ? "" : ` Such as \`${plain(example)}\`.`;
  const fallback = schema.default === undefined ? (told ?? "") : `\`${plain(schema.default)}\``;
  return [`\`${path}\``, `${text}${values}${such}`, required ? "required" : fallback];
};

const plain = (value: unknown): string => (typeof value === "string" ? value : JSON.stringify(value));

const table = (headings: string[], cells: string[][]): string =>
  [headings, headings.map(() => "---"), ...cells]
    .map((line) => `| ${line.map((cell) => cell.replaceAll("|", String.raw`\|`).replaceAll("\n", " ")).join(" | ")} |`)
    .join("\n") + "\n";
