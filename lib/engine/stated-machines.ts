import { resourceTypes } from "../../components/resource-types.ts";
import type { HearthConfig } from "../../infra/config/index.ts";
import { Problem } from "../../toolchain/problem.ts";
import { ofType, type State } from "./state.ts";
import { revealed } from "./value.ts";

/** The addresses of the machines that a state has. Source of the field: pulumi-talos, machine.ConfigurationApply, `node`. */
const addressesIn = (state: State): string[] =>
  ofType(state, resourceTypes.machineConfiguration).map(({ inputs }) =>
    String((revealed(inputs) as { node?: unknown } | undefined)?.node),
  );

/**
 * Proves that the stack file has the machines that were deployed. A checkout that is behind knows others, and what is done to all of its
 * machines leaves the rest behind.
 *
 * @throws Problem that names the addresses that only one of both has
 */
export const requireDeployedMachines = (state: State, { nodes }: Pick<HearthConfig, "nodes">, stack: string): void => {
  const deployed = addressesIn(state);
  const configured: string[] = Object.values(nodes).map(({ address }) => address);
  const missing = deployed.filter((address) => !configured.includes(address));
  const added = configured.filter((address) => !deployed.includes(address));
  if (missing.length > 0)
    throw new Problem(
      `The state of ${stack} has machines that Pulumi.${stack}.yaml does not have: ${missing.join(", ")}. Take the checkout that was deployed ` +
        "last, or deploy their removal first",
    );
  if (added.length > 0)
    throw new Problem(
      `Pulumi.${stack}.yaml has machines that were never deployed: ${added.join(", ")}. Deploy them first, or take the checkout that was ` +
        "deployed last",
    );
};
