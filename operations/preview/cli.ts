import { mkdir, writeFile } from "node:fs/promises";
import { dirname, relative, resolve } from "node:path";

import { examineStackFile, readStackFile } from "../../infra/config/stack-file.ts";
import type { Call } from "../../lib/terminal/command.ts";
import { duration } from "../../lib/terminal/display.ts";
import { interruption } from "../../lib/terminal/interruption.ts";
import { policyPacks, runPreview, stateBefore } from "./engine.ts";
import type { EngineEvent } from "../../lib/engine/events.ts";
import { Git } from "./git.ts";
import { cut } from "./limit.ts";
import { Observer } from "./observer.ts";
import { previewOf, type Sources } from "./preview.ts";
import { outcomeOf, type Outcome } from "./report.ts";
import { treesOf } from "./trees.ts";

/** Exit code of each outcome. */
export const exitCodes: Record<Outcome, number> = { unchanged: 0, failed: 1, changes: 2, dangerous: 3 };

/** Shows what an update would do. The exit code reports the outcome too. */
export const preview = async (
  call: Call<{ base?: string | undefined; out?: string | undefined; whole?: string | undefined }>,
): Promise<number> => {
  const { root, stack, values, display } = call;
  const { preview: found, markdown } = previewOf(await gather(call));
  const file = resolve(root, values.out ?? `.hearth/preview-${stack}.md`);
  const wholeFile = file.replace(/(\.md)?$/, ".full.md");
  const text = cut(markdown, values.whole ?? relative(root, wholeFile));
  await mkdir(dirname(file), { recursive: true });
  await Promise.all([writeFile(file, text), writeFile(wholeFile, markdown)]);
  call.print(text);
  display.line(`${relative(root, file)} written after ${duration(display.seconds)}`);
  const outcome = outcomeOf(found);
  call.answer({ stack, outcome, report: relative(root, file), whole: relative(root, wholeFile) });
  return exitCodes[outcome];
};

/** Asks the engine, the state and the tree, all at once. */
const gather = async ({
  root,
  stack,
  values,
  display,
  open,
}: Call<{ base?: string | undefined }>): Promise<Sources> => {
  const { engine } = await open();
  const signal = interruption("The preview was interrupted, and nothing was changed: run it again");
  const git = new Git(root);
  await using observer = await Observer.start();
  const policies = await policyPacks(root);
  const [state, run, trees] = await Promise.all([
    stateBefore(engine),
    runPreview(engine, { policyPacks: [...policies, observer.pack], signal }, (events) => {
      display.live(`Pulumi: ${describe(events)}`);
    }),
    treesOf(root, stack, git, values.base),
  ]);
  return {
    stack,
    head: `Commit \`${await git.head()}\`${(await git.isDirty()) ? " with changes that are not committed" : ""}`,
    base: trees.mergeBase === undefined ? undefined : `\`${trees.mergeBase.slice(0, 10)}\``,
    state,
    run,
    observed: observer.observed,
    trees,
    exemptions: examineStackFile(readStackFile(root, stack)).config?.policy.exemptions ?? [],
    policies: policies.length > 0,
  };
};

const describe = (events: readonly EngineEvent[]): string => {
  const steps = events.filter(({ resourcePreEvent }) => resourcePreEvent !== undefined).length;
  return steps === 0 ? "starting" : `${steps} resources looked at`;
};
