import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { format } from "prettier";

import { bareDocument } from "../../infra/config/schema.ts";
import { stackFileSchema } from "../../infra/config/stack-schema.ts";
import { documented } from "./documented.ts";
import { reference } from "./reference.ts";
import type { Call } from "../../lib/terminal/command.ts";

/** Path of the schema from the project's root; stack files refer to it. */
export const schemaPath = "infra/config.schema.json";

/** Path of the reference from the project's root. */
export const referencePath = "docs/reference/configuration.md";

/** The generated files by path, from the schema and its comments. */
export const written = async (root: string): Promise<Record<string, string>> => {
  const schema = stackFileSchema(documented(bareDocument(), root));
  return {
    [schemaPath]: await format(JSON.stringify(schema), { parser: "json", printWidth: 120 }),
    [referencePath]: await format(reference(schema), { parser: "markdown", printWidth: 120 }),
  };
};

/** Writes the JSON Schema of stack files and the reference, or checks whether the existing files are up to date. */
export const schema = async ({
  root,
  print,
  complain,
  values,
}: Call<{ check?: boolean | undefined }>): Promise<number> => {
  const texts = Object.entries(await written(root));
  const stale = texts.filter(([file, text]) => readIfThere(join(root, file)) !== text);
  if (values.check === true) {
    for (const [file] of stale) complain(`${file} is not what the program has; run: npx hearth schema`);
    return stale.length > 0 ? 1 : 0;
  }
  for (const [file, text] of stale) {
    writeFileSync(join(root, file), text);
    print(`Wrote ${file}`);
  }
  return 0;
};

const readIfThere = (file: string): string | undefined => (existsSync(file) ? readFileSync(file, "utf8") : undefined);
