import { stringify } from "yaml";

import { stacksIn } from "../../infra/config/stack-file.ts";
import type { Call } from "../../lib/terminal/command.ts";
import { renderCluster } from "../../lib/tree/render.ts";

/** Prints every object that Flux would apply, with its source file. */
export const render = async ({ root, stacks, print, answer }: Call): Promise<number> => {
  const all: object[] = [];
  for (const stack of stacks.length > 0 ? stacks : stacksIn(root)) {
    for (const { file, line, kustomization, object } of await renderCluster(root, stack)) {
      const place = line === undefined ? file : `${file}:${line.toString()}`;
      print(`---\n# ${stack} ${kustomization}, ${place}\n${stringify(object, { lineWidth: 0 }).trimEnd()}`);
      all.push({ stack, kustomization, file, line, object });
    }
  }
  answer(all);
  return 0;
};
