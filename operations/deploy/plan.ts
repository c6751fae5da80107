import { resourceTypes } from "../../components/resource-types.ts";
import type { EngineEvent } from "../../lib/engine/events.ts";
import type { Exemption } from "../../infra/config/policy.ts";
import { judge } from "../../policy/rule.ts";
import { controlPlanesOf, quorumFindings } from "../../policy/rules/control-plane-quorum.ts";
import { lost as lostMachine } from "../../policy/rules/kept-machines.ts";
import type { Recorded } from "../../policy/stack.ts";
import { nameOf } from "../../components/urn.ts";

/** Steps of the engine after which a machine is another one, or none. */
const losing = ["replace", "create-replacement", "delete-replaced", "delete"];

/** The machines that a preview would replace or delete, by the name of their node. */
export class LostMachines {
  readonly names = new Set<string>();
  /** Those of them that are virtual, and lose their disks. */
  readonly virtual = new Map<string, "replaced" | "deleted">();

  add({ resourcePreEvent }: EngineEvent): void {
    const step = resourcePreEvent?.metadata;
    if (
      step &&
      [resourceTypes.machineConfiguration, resourceTypes.virtualMachine].includes(step.type) &&
      losing.includes(step.op)
    ) {
      this.names.add(nameOf(step.urn));
      if (step.type === resourceTypes.virtualMachine) {
        this.virtual.set(nameOf(step.urn), step.op === "delete" ? "deleted" : "replaced");
      }
    }
  }
}

/** Why a plan may not be carried out: the engine itself says what it would replace, which a policy can only tell from inputs. */
export const refusals = (
  lost: LostMachines,
  recorded: readonly Recorded[],
  exemptions: readonly Exemption[],
  today: string,
): string[] =>
  [
    ...quorumFindings(controlPlanesOf(recorded), [...lost.names]).map((finding) =>
      judge("control-plane-quorum", finding, exemptions, today),
    ),
    ...[...lost.virtual].map(([name, how]) => judge("kept-machines", lostMachine(name, how), exemptions, today)),
  ]
    .filter(({ exempt }) => !exempt)
    .map(({ message }) => message);
