import { readFile } from "node:fs/promises";
import { join } from "node:path";

import { resourceTypes } from "../components/resource-types.ts";
import { escrowStatus } from "../components/secrets/escrow-status.ts";
import type { HearthConfig } from "../infra/config/index.ts";
import { escrowRecipients, escrowPath } from "../infra/escrow-file.ts";
import { escrowDoubt, signaturePath } from "../lib/secrets/escrow-signature.ts";
import { codeOf } from "../toolchain/problem.ts";
import type { Recorded, Surroundings } from "./stack.ts";

/**
 * Compares the escrow file with the fingerprint of the root secrets in the state.
 *
 * @param root folder of the checkout
 * @returns what is wrong; undefined if nothing is, or if there are no root secrets yet
 */
export const escrowProblem = async (
  root: string,
  stack: string,
  config: HearthConfig,
  recorded: readonly Recorded[],
): Promise<Surroundings["escrow"]> => {
  const { fingerprint } = recorded.find(({ type }) => type === resourceTypes.escrow)?.outputs ?? {};
  if (!config.escrow || typeof fingerprint !== "string") return undefined;
  const path = escrowPath(config, stack);
  const text = await textOf(join(root, path));
  const status = escrowStatus(text, {
    stack,
    fingerprint,
    recipients: escrowRecipients(config),
  });
  if (status.is !== "current") return { path, problem: status.problem, advice: status.advice };
  const { signers } = config.escrow;
  // Before the stack file names signers there is nothing to hold a signature to.
  const doubt = signers && escrowDoubt(text ?? "", await textOf(join(root, signaturePath(path))), { stack, signers });
  return doubt && { path: signaturePath(path), problem: doubt.problem, advice: "commit it together with the escrow" };
};

const textOf = async (file: string): Promise<string | undefined> => {
  try {
    return await readFile(file, "utf8");
  } catch (error) {
    if (codeOf(error) === "ENOENT") return undefined;
    throw error;
  }
};
