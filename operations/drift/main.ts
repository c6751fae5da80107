import { writeFile } from "node:fs/promises";

import { Display, duration } from "../../lib/terminal/display.ts";
import { describeProgress } from "../../lib/engine/describe.ts";
import { recordedIn } from "../../policy/recorded.ts";
import { readArguments } from "../../toolchain/arguments.ts";
import { Problem } from "../../toolchain/problem.ts";
import { complaints } from "../../lib/engine/pulumi.ts";
import { Target } from "../../lib/engine/target.ts";
import { interruption } from "../../lib/terminal/interruption.ts";
import { fromEnvironment, type GitHub } from "../github/github.ts";
import { closeIssue, keepIssue, type IssueOutcome } from "../github/issue.ts";
import { runCommand, type Session } from "../../lib/terminal/session.ts";
import { stackArgument } from "../../lib/terminal/stack-argument.ts";
import { DriftFinder, driftReport } from "./drift.ts";

const usage = `Usage: npm run drift -- STACK [--report FILE] [--issue] [--lab]

Asks every API whether what is deployed is what the state says, and changes nothing, not even the state.
It ends with 0 where it is, 2 where it is not, and 1 where it cannot tell. FILE gets the report in Markdown.

With --issue it keeps one issue at GitHub, which is open for as long as something differs, and ends with 0 then.`;

const options = { report: { type: "string" }, issue: { type: "boolean" }, lab: { type: "boolean" } } as const;

/** @returns the exit code */
const main = async (args: string[], { root, print }: Session): Promise<number> => {
  const { positionals, values } = readArguments(args, options, usage);
  if (values.help === true) {
    print(usage);
    return 0;
  }
  const stack = stackArgument(positionals, usage, root);
  const display = new Display();
  const { engine } = await Target.open(root, stack, { lab: values.lab === true });
  const recorded = await recordedIn(engine);
  const finder = new DriftFinder(new Map(recorded.map(({ urn, ignoreChanges }) => [urn, ignoreChanges])));
  const ended = await engine.try(["refresh", "--preview-only"], {
    signal: interruption("The look was interrupted, and nothing was changed: run it again"),
    onEvent: (event) => {
      finder.add(event);
    },
    onProgress: (report) => {
      display.live(`refresh: ${describeProgress(report)}`);
    },
  });
  display.clear();
  if (ended.exitCode !== 0) {
    throw new Problem(
      `What is deployed of ${stack} cannot be read:\n${complaints(ended)
        .map((each) => `  ${each}`)
        .join("\n")}`,
    );
  }
  const report = driftReport(stack, finder.found);
  if (values.report !== undefined) await writeFile(values.report, report);
  print(report);
  display.line(`Looked at ${recorded.length} resources in ${duration(display.seconds)}`);
  const isDrifted = finder.found.length > 0;
  if (values.issue !== true) return isDrifted ? 2 : 0;
  display.line(`Issue: ${await tell(fromEnvironment(process.env), stack, isDrifted ? report : undefined)}`);
  return 0;
};

/** Keeps the stack's issue for as long as there is something to report. */
const tell = (github: GitHub, stack: string, report: string | undefined): Promise<IssueOutcome> =>
  report === undefined
    ? closeIssue(github, `drift ${stack}`, `Everything of \`${stack}\` is as its state says again.`)
    : keepIssue(github, { name: `drift ${stack}`, title: `${stack} has drifted`, text: report });

await runCommand(main);
