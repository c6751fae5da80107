import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { format } from "prettier";

import { bareDocument } from "../config/schema.ts";
import { stackFileSchema } from "../config/stack-schema.ts";
import { documented } from "./documented.ts";
import type { Session } from "./session.ts";

/** Where the schema is, from the root of the project; stack files name it. */
export const schemaPath = "infra/config.schema.json";

/** The JSON Schema of stack files as its file has it. */
export const schemaText = (root: string): Promise<string> => {
  const schema = stackFileSchema(documented(bareDocument(), root));
  return format(JSON.stringify(schema), { parser: "json", printWidth: 120 });
};

/** Writes the JSON Schema of stack files, or says whether the one that is there is the program's. */
export const schema = async (
  { folder, print, complain }: Session,
  _: string[],
  values: { check?: unknown },
): Promise<number> => {
  const text = await schemaText(folder);
  const file = join(folder, schemaPath);
  if (values.check !== true) {
    writeFileSync(file, text);
    print(`Wrote ${schemaPath}`);
    return 0;
  }
  if (readFileSync(file, "utf8") === text) return 0;
  complain(`${schemaPath} is not what the program has; run: npm run config -- schema`);
  return 1;
};
