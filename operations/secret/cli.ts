import { basename } from "node:path";
import { createInterface } from "node:readline";

import { readArguments } from "../../toolchain/arguments.ts";
import { Problem } from "../../toolchain/problem.ts";
import type { Session } from "../../lib/terminal/session.ts";
import { SecretFiles } from "./files.ts";
import { secretManifest } from "./template.ts";

const usage = `Usage: npm run secret -- COMMAND

  new FILE KEY…     write a Secret with these keys, encrypted to the recipients of .sops.yaml; their values are read from
                    standard input, a line each, in this order
  edit FILE         change a file in your editor ($EDITOR)
  rotate [FILE…]    encrypt files anew, with another data key, to the recipients that .sops.yaml names now; all unless named

  --name NAME       name of the Secret, with new; the file's name unless given
  --namespace NAME  its namespace, where the folder's kustomization.yaml does not give it
  --lab             an example for the lab: it may be encrypted to the lab's key, which everyone has

Set SOPS_AGE_KEY_FILE to the file with your age identity; what is encrypted to the lab's opens without.`;

const options = {
  name: { type: "string" },
  namespace: { type: "string" },
  lab: { type: "boolean" },
} as const;

/**
 * Writes the tree's encrypted files.
 *
 * @param input where the values of a new Secret come from
 * @returns its exit code
 */
export const cli = async (
  args: string[],
  session: Session,
  input: NodeJS.ReadableStream = process.stdin,
): Promise<number> => {
  const { values, positionals } = readArguments(args, options, usage);
  const [command, ...rest] = positionals;
  if (values.help === true) {
    session.print(usage);
    return 0;
  }
  const files = await SecretFiles.open(session.root, values.lab);
  const [file, ...keys] = rest;
  if (command === "new" && file !== undefined && keys.length > 0) {
    const path = files.named(file);
    const name = values.name ?? basename(path, ".sops.yaml");
    const namespace = values.namespace === undefined ? {} : { namespace: values.namespace };
    await files.create(path, secretManifest({ name, ...namespace, values: await readValues(keys, input, session) }));
    session.print(`Wrote ${path}: name it in the folder's kustomization.yaml, and commit both`);
    return 0;
  }
  if (command === "edit" && file !== undefined && keys.length === 0) {
    await files.edit(files.named(file));
    return 0;
  }
  if (command === "rotate") {
    for (const each of rest.length > 0 ? rest.map((path) => files.named(path)) : files.all()) {
      await files.rotate(each);
      session.print(`Encrypted ${each} anew`);
    }
    return 0;
  }
  throw new Problem(usage);
};

const readValues = async (
  keys: string[],
  input: NodeJS.ReadableStream,
  session: Session,
): Promise<Record<string, string>> => {
  // No prompt of readline's: it would show what is typed.
  const lines = createInterface({ input, terminal: false })[Symbol.asyncIterator]();
  const values: Record<string, string> = {};
  for (const key of keys) {
    if (session.ask !== undefined) session.complain(`${key}:`);
    const { value, done } = await lines.next();
    if (done === true || value === "") throw new Problem(`There is no value for ${key}: give a line for each key`);
    values[key] = value;
  }
  return values;
};
