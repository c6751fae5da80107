import { mkdir, writeFile } from "node:fs/promises";
import { dirname, relative, resolve } from "node:path";

import { duration } from "../../lib/terminal/display.ts";
import { readArguments } from "../../toolchain/arguments.ts";
import { Problem } from "../../toolchain/problem.ts";
import { Target } from "../../lib/engine/target.ts";
import { interruption } from "../../lib/terminal/interruption.ts";
import { policyPacks, runPreview, stateBefore } from "./engine.ts";
import type { EngineEvent } from "../../lib/engine/events.ts";
import { Git } from "./git.ts";
import { cut } from "./limit.ts";
import { Observer } from "./observer.ts";
import { previewOf, type Sources } from "./preview.ts";
import { outcomeOf, type Outcome } from "./report.ts";
import { treesOf } from "./trees.ts";

export const usage = `Usage: npm run preview -- STACK [OPTIONS]

Says what an update of a stack would do to its machines, its cluster, its edge and its tree, and changes nothing.

  --base REF     what the tree is compared with is where the checkout left REF
                 (default: the stack's branch, at origin or here)
  --out FILE     where the report is written (default: .hearth/preview-STACK.md); FILE.full.md has it uncut
  --whole TEXT   how a report that had to be cut names the whole (default: the file's path)
  --lab          the lab's stack; as well where the shell has evaluated \`npm run lab -- env\`

It ends with 0 where nothing changes, 2 where something does, 3 where machines, secrets, volumes or tunnels are
replaced or deleted, and 1 where it failed. docs/guides/previews.md tells how to read the report.`;

const options = {
  base: { type: "string" },
  out: { type: "string" },
  whole: { type: "string" },
  lab: { type: "boolean" },
} as const;

/** What a shell is told. */
export const exitCodes: Record<Outcome, number> = { unchanged: 0, failed: 1, changes: 2, dangerous: 3 };

/** Where the command runs, and whom it talks to. */
export interface Terminal {
  /** Root of the checkout. */
  root: string;
  /** Takes the report. */
  print: (text: string) => void;
  /** Takes what is going on; the second is true where a later one may take its place. */
  say: (text: string, passing: boolean) => void;
}

/**
 * Runs the command.
 *
 * @returns its exit code
 * @throws Problem where a person has to mend something before there can be a report
 */
export const cli = async (args: string[], terminal: Terminal): Promise<number> => {
  const { stack, ...options } = parse(args);
  if (stack === undefined) {
    terminal.print(usage);
    return 0;
  }
  const started = Date.now();
  const { preview, markdown } = previewOf(await gather(stack, options, terminal));
  const file = resolve(terminal.root, options.out ?? `.hearth/preview-${stack}.md`);
  const wholeFile = file.replace(/(\.md)?$/, ".full.md");
  const text = cut(markdown, options.whole ?? relative(terminal.root, wholeFile));
  await mkdir(dirname(file), { recursive: true });
  await Promise.all([writeFile(file, text), writeFile(wholeFile, markdown)]);
  terminal.print(text);
  terminal.say(`${relative(terminal.root, file)} written after ${duration((Date.now() - started) / 1000)}`, false);
  return exitCodes[outcomeOf(preview)];
};

const parse = (args: string[]) => {
  const { positionals, values } = readArguments(args, options, usage);
  if (values.help === true) return { stack: undefined, base: undefined, lab: false };
  const [stack, ...more] = positionals;
  if (stack === undefined || more.length > 0) throw new Problem(`It takes the name of one stack\n\n${usage}`);
  return { stack, base: values.base, out: values.out, whole: values.whole, lab: values.lab === true };
};

/** Asks the engine, the state and the tree, all at once. */
const gather = async (
  stack: string,
  { base, lab }: { base: string | undefined; lab: boolean },
  { root, say }: Terminal,
): Promise<Sources> => {
  const { engine } = await Target.open(root, stack, { lab });
  const signal = interruption("The preview was interrupted, and nothing was changed: run it again");
  const git = new Git(root);
  await using observer = await Observer.start();
  const policies = await policyPacks(root);
  const [state, run, trees] = await Promise.all([
    stateBefore(engine),
    runPreview(engine, { policyPacks: [...policies, observer.pack], signal }, (events) => {
      say(`Pulumi: ${describe(events)}`, true);
    }),
    treesOf(root, stack, git, base),
  ]);
  return {
    stack,
    head: `Commit \`${await git.head()}\`${(await git.isDirty()) ? " with changes that are not committed" : ""}`,
    base: trees.mergeBase === undefined ? undefined : `\`${trees.mergeBase.slice(0, 10)}\``,
    state,
    run,
    observed: observer.observed,
    trees,
    policies: policies.length > 0,
  };
};

const describe = (events: readonly EngineEvent[]): string => {
  const steps = events.filter(({ resourcePreEvent }) => resourcePreEvent !== undefined).length;
  return steps === 0 ? "starting" : `${steps} resources looked at`;
};
