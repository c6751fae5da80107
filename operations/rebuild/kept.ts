import { nameOf } from "../../components/urn.ts";
import { today } from "../../infra/config/policy.ts";
import { examineStackFile, readStackFile } from "../../infra/config/stack-file.ts";
import type { EngineEvent } from "../../lib/engine/events.ts";
import type { Loss } from "../../lib/engine/loss.ts";
import { complaints } from "../../lib/engine/pulumi.ts";
import type { Target } from "../../lib/engine/target.ts";
import { recordedIn } from "../../policy/recorded.ts";
import { Problem } from "../../toolchain/problem.ts";
import { Losses, refusals } from "../deploy/plan.ts";

/** Nothing is lost. */
export const noLoss: Loss = { machines: [], isClusterLost: false };

/** What a preview would lose beyond what is lost already, from the engine's events. */
export const lossesBeyond = (events: readonly EngineEvent[], { machines, isClusterLost }: Loss): Losses => {
  const losses = new Losses();
  for (const event of events) {
    const step = event.resourcePreEvent?.metadata;
    if (step === undefined || machines.includes(nameOf(step.urn))) continue;
    if (isClusterLost && step.type.startsWith("kubernetes:")) continue;
    losses.add(event);
  }
  return losses;
};

/**
 * Judges what a preview says, as a deployment does: what lives is lost only where an exemption names it.
 *
 * A rebuild carries out every difference between the checkout and the state, and the checkout may be older than what runs.
 *
 * @throws Problem that names each loss
 */
export const judgeBy =
  ({ root, stack, engine }: Pick<Target, "root" | "stack" | "engine">, lost: Loss) =>
  async (events: readonly EngineEvent[]): Promise<void> => {
    const losses = lossesBeyond(events, lost);
    if (losses.all.length === 0) return;
    const { config } = examineStackFile(readStackFile(root, stack));
    const why = refusals(losses, await recordedIn(engine), config?.policy.exemptions ?? [], today());
    if (why.length === 0) return;
    throw new Problem(
      [
        `${stack} is not rebuilt from this checkout, because more than what is lost already would be lost:`,
        ...why.map((each) => `  ${each}`),
        "Take the checkout that was deployed last, and deploy what is new afterwards",
      ].join("\n"),
    );
  };

/**
 * Previews the checkout before anything is forgotten or destroyed, and judges it.
 *
 * The preview may fail because of what is lost, as where a lost machine is protected. So this is not the last look: each update is
 * previewed and judged again just before it.
 *
 * @throws Problem that names each loss
 */
export const requireKept = async (target: Target, lost: Loss, signal: AbortSignal): Promise<void> => {
  const events: EngineEvent[] = [];
  const ended = await target.engine.try(["preview"], {
    policyPacks: [],
    signal,
    onEvent: (event) => {
      events.push(event);
    },
  });
  signal.throwIfAborted();
  await judgeBy(target, lost)(events);
  if (ended.exitCode === 0) return;
  const [reason = "it said nothing"] = complaints(ended);
  console.log(`A preview ended early (${reason.split("\n")[0] ?? ""}); it is repeated before the update`);
};
