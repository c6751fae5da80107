import { stackFile } from "../../infra/config/error.ts";
import { today } from "../../infra/config/policy.ts";
import { examineStackFile, readStackFile } from "../../infra/config/stack-file.ts";
import type { Display } from "../../lib/terminal/display.ts";
import type { RunReport } from "../../lib/engine/report.ts";
import { describeChanges, describeProgress } from "../../lib/engine/describe.ts";
import { escrowProblem } from "../../policy/escrow.ts";
import { recordedIn } from "../../policy/recorded.ts";
import { Problem } from "../../toolchain/problem.ts";
import { requireSigningKeys } from "../backup/signing-key.ts";
import { backUpState } from "../state/backup.ts";
import { requireFinished } from "../../lib/engine/unfinished.ts";
import { policyPack, type Target } from "../../lib/engine/target.ts";
import { update as updateAll, type Operation, type RunOptions } from "../../lib/engine/pulumi-stack.ts";
import { unprotectExempted } from "../../policy/protection.ts";
import { Losses, refusals } from "./plan.ts";

/**
 * Deploys a stack: previews it, updates it if something changes, and then checks that nothing would change any more.
 *
 * @returns whether anything was changed
 * @throws Problem if the engine or a policy refuses, or if the program keeps changing something
 */
export const deploy = async (target: Target, display: Display, signal: AbortSignal): Promise<boolean> => {
  const { stack } = target;
  const run = runOn(target, display, signal);
  requireFinished(await target.engine.state(), stack);
  await unprotect(target, display);
  const losses = new Losses();
  const preview = await run(["preview"], {
    onEvent: (event) => {
      losses.add(event);
    },
  }).catch(async (error: unknown) => {
    // The engine refuses to delete protected resources and suggests removing the protection. Hearth's own advice comes first.
    await requireKept(target, losses);
    throw error;
  });
  display.line(`Preview of ${stack}: ${describeChanges(preview)}`);
  for (const advice of preview.advice) display.line(`  ${advice}`);
  if (preview.isUnchanged) return false;
  await requireKept(target, losses);
  const update = await run(updateAll);
  display.line(`Updated ${stack}: ${counted(update)}`);
  // The required content of the escrow may just have changed. The policy checks it the next time.
  const after = await run(["preview", "--expect-no-changes"], { policyPacks: [] });
  if (!after.isUnchanged) {
    throw new Problem(`${stack} is updated, and would change again at once: ${describeChanges(after)}`);
  }
  display.line(`${stack} is as the program says`);
  // Lets the preview of exempted resources run to its end.
  await unprotect(target, display);
  await remindOfEscrow(target, display);
  await keepState(target, display);
  return true;
};

const runOn =
  ({ engine, root }: Target, display: Display, signal: AbortSignal) =>
  async (operation: Operation, options: Pick<RunOptions, "onEvent" | "policyPacks"> = {}): Promise<RunReport> => {
    const ended = await engine.try(operation, {
      policyPacks: [policyPack(root)],
      ...options,
      signal,
      onProgress: (report) => {
        display.live(`${operation[0]}: ${describeProgress(report)}`);
      },
    });
    display.clear();
    const { report, exitCode } = ended;
    // The engine also fails on unexpected changes; the caller reports which they are.
    const isChanged = operation.includes("--expect-no-changes") && report.errors.length === 0 && !report.isUnchanged;
    if (exitCode !== 0 && !(isChanged && report.counts !== undefined)) throw engine.failed(operation, ended);
    return report;
  };

/**
 * Refuses a plan that loses anything that no exemption names.
 *
 * @throws Problem that names each loss
 */
const requireKept = async ({ root, stack, engine }: Target, losses: Losses): Promise<void> => {
  if (losses.all.length === 0) return;
  const { config } = examineStackFile(readStackFile(root, stack));
  const why = refusals(losses, await recordedIn(engine), config?.policy.exemptions ?? [], today());
  if (why.length > 0) throw new Problem(`${stack} is not deployed:\n${why.map((each) => `  ${each}`).join("\n")}`);
};

/** Removes the protection of exempted resources. An update restores it on those that the program still has. */
const unprotect = async (target: Target, display: Display): Promise<void> => {
  const { root, stack, engine } = target;
  if ((await engine.size()) === undefined) return;
  const { config } = examineStackFile(readStackFile(root, stack));
  const nodes = Object.values((await target.config()).nodes);
  const names = await unprotectExempted(engine, config?.policy, new Set(nodes.map(({ address }) => address)));
  for (const name of names) {
    display.line(`  ${name} may be replaced or deleted, as an exemption of ${stackFile(stack)} says`);
  }
};

const remindOfEscrow = async (target: Target, display: Display): Promise<void> => {
  const { root, stack, engine } = target;
  const escrow = await escrowProblem(root, stack, await target.config(), await recordedIn(engine));
  if (escrow) {
    const advice = escrow.advice ?? `write it with npx hearth escrow ${stack}, and commit what it names`;
    display.line(`  ${escrow.path} ${escrow.problem}: ${advice}`);
  }
  const { escrow: named } = await target.config();
  if (named && !named.signers) {
    const file = `Pulumi.${stack}.yaml`;
    display.line(
      `  ${file} does not name who signs backups: write that with npx hearth escrow ${stack}, and commit both`,
    );
  }
};

/** Backs the state up, as after every update. The update is done by then, so a failure is reported and undoes nothing. */
const keepState = async (target: Target, display: Display): Promise<void> => {
  if (!(await target.config()).escrow) {
    display.line("  The state has no backup, for hearth:escrow names nobody who could open one");
    return;
  }
  display.live("Backing the state up");
  const { stack } = await requireSigningKeys(target);
  const { name, copies } = await backUpState(target, stack.privateKey);
  display.clear();
  for (const { destination, problem } of copies) {
    display.line(
      problem === undefined
        ? `  The state is kept in ${destination}: ${name}`
        : `  It is not in ${destination}: ${problem}`,
    );
  }
  if (copies.some(({ problem }) => problem !== undefined)) {
    throw new Problem(
      `${target.stack} is deployed, and a backup of its state failed: npx hearth backup ${target.stack}`,
    );
  }
};

const counted = ({ counts = {} }: RunReport): string =>
  Object.entries(counts)
    .map(([operation, count]) => `${count} ${operation}`)
    .join(", ");
