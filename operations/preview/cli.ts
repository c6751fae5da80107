import { mkdir, writeFile } from "node:fs/promises";
import { dirname, relative, resolve } from "node:path";

import { examineStackFile, readStackFile } from "../../infra/config/stack-file.ts";
import type { Call } from "../../lib/terminal/command.ts";
import { duration } from "../../lib/terminal/display.ts";
import { interruption } from "../../lib/terminal/interruption.ts";
import { Problem } from "../../toolchain/problem.ts";
import { datastoreWarnings } from "../doctor/proxmox-room.ts";
import { machinesToReplace } from "./machines-to-replace.ts";
import { beforeOf, policyPacks, runPreview } from "./engine.ts";
import type { EngineEvent } from "../../lib/engine/events.ts";
import { examine, withDataOf } from "./data.ts";
import { removeForeignData } from "./foreign-data.ts";
import { Git } from "./git.ts";
import { cut } from "./limit.ts";
import { Observer } from "./observer.ts";
import { previewOf, type Sources } from "./preview.ts";
import { outcomeOf, type Outcome } from "./report.ts";
import { treesOf } from "./trees.ts";

/** Exit code of each outcome. */
export const exitCodes: Record<Outcome, number> = { unchanged: 0, failed: 1, changes: 2, dangerous: 3 };

/** Exit code for a commit that a person has to read before its data is used. */
export const hasToBeRead = 4;

interface PreviewFlags {
  base?: string | undefined;
  out?: string | undefined;
  whole?: string | undefined;
  "data-from"?: string | undefined;
  check?: boolean | undefined;
}

/** Shows what an update would do. The exit code reports the outcome too. */
export const preview = async (call: Call<PreviewFlags>): Promise<number> => {
  const { root, values, complain, print, answer } = call;
  const ref = values["data-from"];
  if (ref === undefined) {
    if (values.check === true) throw new Problem("--check is about another commit's data: name it with --data-from");
    await removeForeignData(new Git(root));
    return previewCheckout(call);
  }
  const git = new Git(root);
  const proposal = await examine(git, ref);
  if (proposal.concerns.length > 0) {
    complain(`${ref} has to be read before a credential is used with it:\n${proposal.concerns.join("\n")}`);
    answer({ concerns: proposal.concerns });
    return hasToBeRead;
  }
  if (values.check === true) {
    print(`${ref} is data alone, and can be previewed by the code that is checked out`);
    answer({ concerns: [] });
    return 0;
  }
  return withDataOf(git, proposal, () => previewCheckout(call, proposal.commit));
};

/**
 * Previews the files that are in the checkout.
 *
 * @param data the commit that its data is from, where it is not the one that is checked out
 */
const previewCheckout = async (call: Call<PreviewFlags>, data?: string): Promise<number> => {
  const { root, stack, values, display } = call;
  const { preview: found, markdown } = previewOf(await gather(call, data));
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
const gather = async (
  { root, stack, values, display, open }: Call<PreviewFlags>,
  data: string | undefined,
): Promise<Sources> => {
  const target = await open();
  const { engine } = target;
  const { config } = examineStackFile(readStackFile(root, stack));
  const signal = interruption("The preview was interrupted, and nothing was changed: run it again");
  const git = new Git(root);
  await using observer = await Observer.start();
  const policies = await policyPacks(root);
  // The data of a commit that nobody has merged names no server that gets a credential beyond those of the engine.
  const isAsked = config !== undefined && data === undefined;
  const recorded = await engine.state();
  const replaced = config === undefined ? [] : machinesToReplace(recorded, await target.config());
  const [run, trees, warnings] = await Promise.all([
    runPreview(engine, { policyPacks: [...policies, observer.pack], replaced, signal }, (events) => {
      display.live(`Pulumi: ${describe(events)}`);
    }),
    treesOf(root, stack, git, { base: values.base, data }),
    isAsked ? datastoreWarnings(target, config) : [],
  ]);
  return {
    stack,
    head: await headOf(git, data),
    base: trees.mergeBase === undefined ? undefined : `\`${trees.mergeBase.slice(0, 10)}\``,
    state: beforeOf(recorded),
    run,
    observed: observer.observed,
    trees,
    warnings,
    exemptions: config?.policy.exemptions ?? [],
    kubernetes: config?.cluster.kubernetes,
    policies: policies.length > 0,
  };
};

/** Says what is previewed. */
const headOf = async (git: Git, data: string | undefined): Promise<string> => {
  const head = `\`${await git.head()}\``;
  if (data !== undefined) return `Data of commit \`${data.slice(0, 10)}\`, with the code of commit ${head}`;
  return `Commit ${head}${(await git.isDirty()) ? " with changes that are not committed" : ""}`;
};

const describe = (events: readonly EngineEvent[]): string => {
  const steps = events.filter(({ resourcePreEvent }) => resourcePreEvent !== undefined).length;
  return steps === 0 ? "starting" : `${steps} resources looked at`;
};
