import { writeFile } from "node:fs/promises";

import { duration } from "../../lib/terminal/display.ts";
import { describeProgress } from "../../lib/engine/describe.ts";
import { recordedIn } from "../../policy/recorded.ts";
import { Problem } from "../../toolchain/problem.ts";
import { complaints } from "../../lib/engine/pulumi.ts";
import { interruption } from "../../lib/terminal/interruption.ts";
import { fromEnvironment, type GitHub } from "../github/github.ts";
import { closeIssue, keepIssue, type IssueOutcome } from "../github/issue.ts";
import type { Call } from "../../lib/terminal/command.ts";
import { DriftFinder, driftReport } from "./drift.ts";
import { installedByHand, releasesOf } from "./machines.ts";

/** Reports what differs from the state. The exit code reports it too, unless an issue does. */
export const drift = async ({
  stack,
  values,
  display,
  print,
  complain,
  open,
  answer,
}: Call<{ report?: string | undefined; issue?: boolean | undefined }>): Promise<number> => {
  const target = await open();
  const { engine } = target;
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
  display.live("asking the machines which releases they run");
  const found = [...finder.found, ...installedByHand(await releasesOf(target, complain))];
  display.clear();
  const report = driftReport(stack, found);
  if (values.report !== undefined) await writeFile(values.report, report);
  print(report);
  answer({ stack, drifted: found });
  display.line(`Looked at ${recorded.length} resources in ${duration(display.seconds)}`);
  const isDrifted = found.length > 0;
  if (values.issue !== true) return isDrifted ? 2 : 0;
  display.line(`Issue: ${await tell(fromEnvironment(process.env), stack, isDrifted ? report : undefined)}`);
  return 0;
};

/** Keeps the stack's issue open while there is something to report. */
const tell = (github: GitHub, stack: string, report: string | undefined): Promise<IssueOutcome> =>
  report === undefined
    ? closeIssue(github, `drift ${stack}`, `Everything of \`${stack}\` is as its state says again.`)
    : keepIssue(github, { name: `drift ${stack}`, title: `${stack} has drifted`, text: report });
