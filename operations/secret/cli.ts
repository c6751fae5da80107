import { basename } from "node:path";

import type { Call } from "../../lib/terminal/command.ts";
import { SecretFiles } from "./files.ts";
import { initSecrets } from "./init.ts";
import { secretManifest } from "./template.ts";
import { readValues } from "./values.ts";

/**
 * Writes the tree's encrypted files.
 *
 * @param input source of the values that the person gives
 */
export const secret = async (
  call: Call<{ name?: string | undefined; namespace?: string | undefined }>,
  input: NodeJS.ReadableStream = process.stdin,
): Promise<number> => {
  const [form, ...named] = call.args;
  if (form === "init") return initSecrets(call, input);
  const files = await SecretFiles.open(call.root, call.isLab);
  if (form === "new") return create(call, files, input);
  const paths =
    form === "edit"
      ? named.map((path) => files.named(path))
      : named.length === 0
        ? files.all()
        : named.flatMap((path) => files.under(path));
  if (form === "edit") for (const path of paths) await files.edit(path);
  else {
    for (const path of paths) {
      await files.rotate(path);
      call.print(`Encrypted ${path} anew`);
    }
  }
  call.answer({ files: paths });
  return 0;
};

const create = async (
  {
    args: [, file = "", ...keys],
    values,
    ...session
  }: Call<{ name?: string | undefined; namespace?: string | undefined }>,
  files: SecretFiles,
  input: NodeJS.ReadableStream,
): Promise<number> => {
  const path = files.named(file);
  const name = values.name ?? basename(path, ".sops.yaml");
  const namespace = values.namespace === undefined ? {} : { namespace: values.namespace };
  await files.create(path, secretManifest({ name, ...namespace, values: await readValues(keys, input, session) }));
  session.print(`Wrote ${path}: name it in the folder's kustomization.yaml, and commit both`);
  session.answer({ files: [path] });
  return 0;
};
