import { nameOf } from "../components/urn.ts";
import { mayBeLost, today, type PolicyConfig } from "../infra/config/policy.ts";
import { configuredAddress, keptKind } from "../lib/engine/losses.ts";
import type { PulumiStack } from "../lib/engine/pulumi-stack.ts";
import { recordedIn } from "./recorded.ts";
import type { Recorded } from "./stack.ts";

/** Nodes of a configuration, by name. */
type Nodes = Readonly<Record<string, { address: string }>>;

/**
 * Takes the protection off the resources that exemptions name: the engine refuses by what the state says.
 *
 * @param nodes those of the configuration: a machine that another one of them is now stays protected, for it would be reset
 * @returns names of the resources
 */
export const unprotectExempted = async (
  engine: PulumiStack,
  policy: PolicyConfig | undefined,
  nodes: Nodes,
): Promise<string[]> => {
  const names = policy ? mayBeLost(policy, today()) : [];
  if (names.length === 0) return [];
  const open = protectedAmong(await recordedIn(engine), names, nodes);
  for (const { urn } of open) await engine.call(["state", "unprotect", urn, "--yes"]);
  return open.map(({ urn }) => nameOf(urn));
};

/** The protected resources of names that may be lost, without machines that are in use under another name. */
export const protectedAmong = (recorded: readonly Recorded[], names: readonly string[], nodes: Nodes): Recorded[] =>
  recorded.filter((resource) => {
    const name = nameOf(resource.urn);
    const address = configuredAddress(resource);
    const isAnother = Object.entries(nodes).some(([node, at]) => at.address === address && node !== name);
    return resource.protect && keptKind(resource.type) !== undefined && names.includes(name) && !isAnother;
  });
