import { stat } from "node:fs/promises";

import type { Call } from "../../lib/terminal/command.ts";
import { table } from "../../lib/terminal/display.ts";
import { Toolchain } from "../../toolchain/toolchain.ts";
import { tools as known } from "../../toolchain/tools.ts";
import { updateDigests } from "../../toolchain/vendors/digests.ts";

const names = known.map(({ name }) => name);

/** Finds and builds external programs, or deletes their build files. */
export const tools = async (call: Call): Promise<number> => {
  const { root, args, print, answer } = call;
  const [form] = args;
  if (form === "list") return list(call);
  if (form === "digests") {
    const toolchain = new Toolchain({ root });
    await updateDigests((name) => toolchain.releasedVersion(name), print);
    return 0;
  }
  if (form === "prune") {
    const freed = await new Toolchain({ root }).prune();
    print(`Freed ${(freed / 2 ** 30).toFixed(1)} GiB; the next build of a tool compiles everything that it needs anew`);
    answer({ freed });
    return 0;
  }
  const paths = await new Toolchain({ root }).ensure(form === "all" ? names : args);
  for (const path of Object.values(paths)) print(path);
  answer(paths);
  return 0;
};

const list = async ({ root, print, answer }: Call): Promise<number> => {
  const toolchain = new Toolchain({ root });
  const found = await Promise.all(
    [...(await toolchain.locate(names))].map(async ([name, located]) => ({
      name,
      version: located?.version ?? (await toolchain.pinnedVersion(name)),
      source: located?.source,
      bytes: located && (await stat(located.path)).size,
      path: located?.path,
    })),
  );
  const rows = found.map(({ name, version, source, bytes, path }) => [
    name,
    version === "" ? "-" : version,
    source ?? "nowhere yet",
    bytes === undefined ? "" : Math.round(bytes / 2 ** 20).toString(),
    path ?? "",
  ]);
  print(table(["tool", "version", "found in", "MiB", "path"], rows));
  answer(found);
  return 0;
};
