import { nameOf } from "../../components/urn.ts";
import type { Exemption } from "../../infra/config/policy.ts";
import type { EngineEvent } from "../../lib/engine/events.ts";
import { configuredAddress, lossOf, type Loss } from "../../lib/engine/losses.ts";
import { judge } from "../../policy/rule.ts";
import { controlPlanesOf, quorumFindings } from "../../policy/rules/control-plane-quorum.ts";
import { lossFinding, renameFinding } from "../../policy/rules/kept-resources.ts";
import type { Recorded } from "../../policy/stack.ts";

/** The resources that a preview would lose, from the engine's events. */
export class Losses {
  private readonly byName = new Map<string, Loss>();
  /** Addresses of the deleted machines, and of the configured ones, by the name of their node. */
  private readonly deleted = new Map<string, string>();
  private readonly configured = new Map<string, string>();

  add({ resourcePreEvent }: EngineEvent): void {
    const step = resourcePreEvent?.metadata;
    if (!step) return;
    const name = nameOf(step.urn);
    const loss = lossOf(step);
    const known = loss && this.byName.get(`${loss.kind} ${name}`);
    if (loss && (known?.because === undefined || loss.because !== undefined)) {
      this.byName.set(`${loss.kind} ${name}`, loss);
    }
    const isDeleted = step.op === "delete";
    const inputs = (isDeleted ? step.old : step.new)?.inputs;
    const address = inputs && configuredAddress({ type: step.type, inputs });
    if (address !== undefined) (isDeleted ? this.deleted : this.configured).set(name, address);
  }

  get all(): Loss[] {
    return [...this.byName.values()];
  }

  /** Machines that would be deleted under one name and kept under another. */
  get renamed(): { from: string; to: string }[] {
    return [...this.deleted].flatMap(([from, address]) => {
      const [to] = [...this.configured].find(([, used]) => used === address) ?? [];
      return to === undefined ? [] : [{ from, to }];
    });
  }
}

/** Returns the reasons against a plan. Only the engine knows what it would replace; a policy can only infer it from inputs. */
export const refusals = (
  losses: Losses,
  recorded: readonly Recorded[],
  exemptions: readonly Exemption[],
  today: string,
  { isPlanned = false }: { isPlanned?: boolean } = {},
): string[] => {
  const { all, renamed } = losses;
  const machines = all.filter(({ kind }) => kind === "machine").map(({ name }) => name);
  const lost = all.filter(({ name }) => !renamed.some(({ from }) => from === name));
  return [
    // A rollout takes one machine at a time, and its plan judges the quorum.
    ...quorumFindings(isPlanned ? [] : controlPlanesOf(recorded), machines).map((finding) =>
      judge("control-plane-quorum", finding, exemptions, today),
    ),
    ...renamed.map(({ from, to }) => judge("kept-resources", renameFinding(from, to), exemptions, today)),
    ...lost.map((loss) => judge("kept-resources", lossFinding(loss), exemptions, today)),
  ]
    .filter(({ exempt }) => !exempt)
    .map(({ message }) => message);
};
