import * as pulumi from "@pulumi/pulumi";

import { contractProblem } from "./contract.ts";

/**
 * Gives the configuration contract, unless it is not the one that the cluster was created with: that ends the run before a machine
 * hears of it, in previews too.
 *
 * @param recorded what the state says that the secrets were made with
 */
export const keepContract =
  (contract: string) =>
  (recorded: string): string => {
    const problem = contractProblem(contract, recorded);
    if (problem !== undefined) throw new pulumi.RunError(problem);
    return contract;
  };
