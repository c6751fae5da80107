import { join } from "node:path";

import { examineStackFile, readStackFile } from "../../infra/config/stack-file.ts";
import type { Display } from "../../lib/terminal/display.ts";
import type { RunReport } from "../../lib/engine/events.ts";
import { describeChanges, describeProgress } from "../../lib/engine/describe.ts";
import { escrowProblem } from "../../policy/escrow.ts";
import { recordedIn } from "../../policy/recorded.ts";
import { Problem } from "../../toolchain/problem.ts";
import { backUpState } from "../state/backup.ts";
import { Target } from "../../lib/engine/target.ts";
import { complaints, runEngine, type Operation, type RunOptions } from "../../lib/engine/run.ts";
import { LostMachines, refusals } from "./plan.ts";

const root = join(import.meta.dirname, "..", "..");

/**
 * Deploys a stack: previews it, updates it where something changes, and makes sure that then nothing would change any more.
 *
 * @returns whether anything was changed
 * @throws Problem where the engine or a policy refuses, or where the program does not come to rest
 */
export const deploy = async (stack: string, display: Display): Promise<boolean> => {
  const lost = new LostMachines();
  const preview = await run(["preview"], stack, display, {
    onEvent: (event) => {
      lost.add(event);
    },
  });
  display.line(`Preview of ${stack}: ${describeChanges(preview)}`);
  for (const advice of preview.advice) display.line(`  ${advice}`);
  if (preview.isUnchanged) return false;
  await requireQuorum(stack, lost);
  const update = await run(["up", "--yes", "--skip-preview"], stack, display);
  display.line(`Updated ${stack}: ${counted(update)}`);
  // What the escrow has to hold may just have changed: the policy asks for it the next time.
  const after = await run(["preview", "--expect-no-changes"], stack, display, { policies: false });
  if (!after.isUnchanged) {
    throw new Problem(`${stack} is updated, and would change again at once: ${describeChanges(after)}`);
  }
  display.line(`${stack} is as the program says`);
  const target = await Target.open(root, stack);
  await remindOfEscrow(target, display);
  await keepState(target, display);
  return true;
};

const run = async (
  operation: Operation,
  stack: string,
  display: Display,
  options: Pick<RunOptions, "onEvent" | "policies"> = {},
): Promise<RunReport> => {
  const ended = await runEngine(operation, {
    stack,
    ...options,
    onProgress: (report) => {
      display.live(`${operation[0]}: ${describeProgress(report)}`);
    },
  });
  display.clear();
  const { report, exitCode } = ended;
  // Changes where none are expected end the engine too; the caller says which they are.
  const isChanged = operation.includes("--expect-no-changes") && report.errors.length === 0 && !report.isUnchanged;
  if (exitCode !== 0 && !(isChanged && report.counts !== undefined)) {
    const reasons = complaints(ended).map((reason) => `  ${reason}`);
    throw new Problem([`pulumi ${operation[0]} of ${stack} failed:`, ...reasons].join("\n"));
  }
  return report;
};

const requireQuorum = async (stack: string, lost: LostMachines): Promise<void> => {
  if (lost.names.size === 0) return;
  const { config } = examineStackFile(readStackFile(root, stack));
  const today = new Date().toISOString().slice(0, 10);
  const why = refusals(lost, await recordedIn(root, stack), config?.policy.exemptions ?? [], today);
  if (why.length > 0) throw new Problem(`${stack} is not deployed:\n${why.map((each) => `  ${each}`).join("\n")}`);
};

const remindOfEscrow = async (target: Target, display: Display): Promise<void> => {
  const { stack } = target;
  const escrow = await escrowProblem(root, stack, await target.config(), await recordedIn(root, stack));
  if (escrow)
    display.line(`  ${escrow.path} ${escrow.problem}: write it with npm run escrow -- ${stack}, and commit it`);
};

/** Backs the state up, as after every update. The update is done by then: what fails here is told, and undoes nothing. */
const keepState = async (target: Target, display: Display): Promise<void> => {
  if (!(await target.config()).escrow) {
    display.line("  The state has no backup, for hearth:escrow names nobody who could open one");
    return;
  }
  display.live("Backing the state up");
  const { name, copies } = await backUpState(target);
  display.clear();
  for (const { place, problem } of copies) {
    display.line(
      problem === undefined ? `  The state is kept in ${place}: ${name}` : `  It is not in ${place}: ${problem}`,
    );
  }
  if (copies.some(({ problem }) => problem !== undefined)) {
    throw new Problem(
      `${target.stack} is deployed, and a backup of its state failed: npm run state -- backup ${target.stack}`,
    );
  }
};

const counted = ({ counts = {} }: RunReport): string =>
  Object.entries(counts)
    .map(([operation, count]) => `${count} ${operation}`)
    .join(", ");
