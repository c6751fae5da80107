import { resourceTypes } from "../../components/resource-types.ts";
import { nameOf } from "../../components/urn.ts";
import { isMachineType } from "../../infra/platforms/index.ts";
import { ofType, resourcesOf, type State } from "../../lib/engine/state.ts";
import { revealed } from "../../lib/engine/value.ts";

/**
 * The resources with which the engine makes machines anew whose address changes: the virtual machine, or the configuration of one of metal.
 *
 * No update changes the address of a machine that runs. One that an interrupted update destroyed is made anew anyway.
 *
 * @param nodes machines of the stack file by the name of their node
 * @returns URNs
 */
export const machinesToReplace = (state: State, nodes: Record<string, { address: string }>): string[] =>
  ofType(state, resourceTypes.machineConfiguration).flatMap((configuration) => {
    const name = nameOf(configuration.urn);
    const { node } = (revealed(configuration.inputs) ?? {}) as { node?: unknown };
    const to = nodes[name]?.address;
    if (to === undefined || to === node) return [];
    const machine = resourcesOf(state).find(({ urn, type }) => isMachineType(type) && nameOf(urn) === name);
    const { urn, pendingReplacement } = machine ?? configuration;
    return pendingReplacement === true ? [] : [urn];
  });

/** The engine's flags by which it replaces resources. @example ["--replace", "urn:pulumi:…"] */
export const replacing = (urns: readonly string[]): string[] => urns.flatMap((urn) => ["--replace", urn]);
