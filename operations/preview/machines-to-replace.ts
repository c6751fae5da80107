import { resourceTypes } from "../../components/resource-types.ts";
import { isOfMetal, isSecureBoot } from "../../components/talos/installer.ts";
import type { Role } from "../../components/talos/settings.ts";
import { nameOf } from "../../components/urn.ts";
import { isMachineType } from "../../infra/platforms/index.ts";
import { ofType, resourcesOf, type State } from "../../lib/engine/state.ts";
import { recordedMachine, type ConfiguredMachine } from "./configured-machine.ts";

/** What a stack file says of its machines that the engine cannot tell by itself. */
export interface Wanted {
  nodes: Record<string, { platform: string; role: Role; address: string; secureBoot?: boolean | undefined }>;
  cluster: { secureBoot: boolean };
}

/**
 * The resources with which the engine makes machines anew: those whose address or role changes, and those of metal whose SecureBoot does.
 * Each is the virtual machine, or the configuration of one of metal.
 *
 * No update does that to a machine that runs. One that an interrupted update destroyed is made anew anyway, and one that it made has its role.
 *
 * @param running the machines that answer, where they were asked
 * @returns URNs
 */
export const machinesToReplace = (
  state: State,
  { nodes, cluster }: Wanted,
  running: Record<string, { role: Role }> = {},
): string[] =>
  ofType(state, resourceTypes.machineConfiguration).flatMap((configuration) => {
    const name = nameOf(configuration.urn);
    const node = nodes[name];
    if (!node) return [];
    const recorded = recordedMachine(configuration);
    const isWiped = node.platform === "metal" && bootsOtherwise(recorded, node.secureBoot ?? cluster.secureBoot);
    const isMade = configuration.pendingReplacement === true && running[name]?.role === node.role;
    if (!isWiped && node.address === recorded.address && (isMade || node.role === recorded.role)) return [];
    const machine = resourcesOf(state).find(({ urn, type }) => isMachineType(type) && nameOf(urn) === name);
    const { urn, pendingReplacement } = machine ?? configuration;
    return pendingReplacement === true ? [] : [urn];
  });

/** Whether a machine of metal gets another SecureBoot. One with volumes of its own does not, which the plan of the rollout says. */
const bootsOtherwise = ({ image, volumes }: ConfiguredMachine, secureBoot: boolean): boolean =>
  isOfMetal(image.installer) && volumes.length === 0 && isSecureBoot(image.installer) !== secureBoot;

/** The engine's flags by which it replaces resources. @example ["--replace", "urn:pulumi:…"] */
export const replacing = (urns: readonly string[]): string[] => urns.flatMap((urn) => ["--replace", urn]);
