import { nameOf } from "../components/urn.ts";
import { mayBeLost, today, type PolicyConfig } from "../infra/config/policy.ts";
import { configuredAddress, keptKind } from "../lib/engine/losses.ts";
import type { PulumiStack } from "../lib/engine/pulumi-stack.ts";
import { recordedIn } from "./recorded.ts";
import type { Recorded } from "./stack.ts";

/**
 * Takes the protection off the resources that exemptions name: the engine refuses by what the state says.
 *
 * @param addresses those of the configuration's nodes: a machine that one of them still has stays protected, for it would be reset
 * @returns names of the resources
 */
export const unprotectExempted = async (
  engine: PulumiStack,
  policy: PolicyConfig | undefined,
  addresses: ReadonlySet<string>,
): Promise<string[]> => {
  const names = policy ? mayBeLost(policy, today()) : [];
  if (names.length === 0) return [];
  const open = protectedAmong(await recordedIn(engine), names, addresses);
  for (const { urn } of open) await engine.call(["state", "unprotect", urn, "--yes"]);
  return open.map(({ urn }) => nameOf(urn));
};

/** The protected resources of names that may be lost, without machines that are in use under another name. */
export const protectedAmong = (
  recorded: readonly Recorded[],
  names: readonly string[],
  addresses: ReadonlySet<string>,
): Recorded[] =>
  recorded.filter((resource) => {
    const address = configuredAddress(resource);
    return (
      resource.protect &&
      keptKind(resource.type) !== undefined &&
      names.includes(nameOf(resource.urn)) &&
      (address === undefined || !addresses.has(address))
    );
  });
