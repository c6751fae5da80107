import { escrowStatus } from "../../components/secrets/escrow-status.ts";
import { escrowPath } from "../../infra/escrow-file.ts";
import { destinationsOf, type Destination } from "../destinations/index.ts";
import type { Target } from "../../lib/engine/target.ts";
import { collect } from "./collect.ts";
import { differences } from "./differences.ts";
import { fingerprint, type Escrow } from "../../lib/secrets/escrow.ts";
import { backendIn } from "../../lib/secrets/usual-backend.ts";
import { recipientsFor } from "../../lib/secrets/recipients.ts";
import { escrowDoubt, signaturePath } from "../../lib/secrets/escrow-signature.ts";
import { openWithEach, type Trial } from "./verify.ts";
import { textAt, type Credentials } from "./write.ts";
import { messageOf } from "../../toolchain/problem.ts";

export interface Checked {
  path: string;
  fingerprint: string;
  trials: Trial[];
  /** Problems, one line each. */
  problems: string[];
  /** Notes that the user may ignore. */
  remarks: string[];
}

/**
 * Checks that a stack's escrow matches its state, opens with the keys at hand, and is at every destination.
 *
 * @param read gives what the escrow should hold
 */
export const checkEscrow = async (
  target: Target,
  { keys, sops, live }: Credentials,
  read: () => Promise<Escrow> = () => collect(target),
): Promise<Checked> => {
  const config = await target.config();
  const recipients = recipientsFor(target, config);
  const path = escrowPath(config, target.stack);
  live("Reading the stack's state");
  const escrow = await read();
  const sum = fingerprint(escrow);
  const file = await textAt(target, path);
  const status = escrowStatus(file, { stack: target.stack, fingerprint: sum, recipients });
  const result: Checked = { path, fingerprint: sum, trials: [], problems: [], remarks: [] };
  if (status.is !== "current") {
    result.problems.push(`${path} ${status.problem}${status.advice === undefined ? "" : `: ${status.advice}`}`);
  }
  if (file === undefined || ["unreadable", "newer", "foreign"].includes(status.is)) return result;
  if (!target.isLab && backendIn(file) === undefined) {
    result.remarks.push("It does not say where the state is kept: writing it adds that");
  }
  const expected = { stack: target.stack, signers: config.escrow?.signers };
  const doubt = escrowDoubt(file, await textAt(target, signaturePath(path)), expected);
  if (doubt) result.problems.push(`${path} ${doubt.problem}`);
  live("Opening the escrow with every key at hand");
  const { trials, escrow: held } = await openWithEach(file, keys, sops, path);
  result.trials = trials;
  if (!held) result.remarks.push("No key at hand opens it, so what it holds was not looked at");
  const differ = held ? differences(held, escrow) : [];
  const older = differ.filter((part) => part !== "stackFile");
  if (older.length > 0) result.problems.push(`${path} is older than the state in ${older.join(", ")}`);
  else if (differ.length > 0) result.remarks.push(`Its copy of Pulumi.${target.stack}.yaml is older than the file`);
  for (const destination of destinationsOf(config, target.root)) {
    live(`Reading the copy in ${destination.name}`);
    const problem = await copyProblem(destination, `${target.stack}.sops.yaml`, file, expected);
    if (problem !== undefined) result.problems.push(problem);
  }
  return result;
};

/** What is wrong with a copy of an escrow. */
const copyProblem = async (
  destination: Destination,
  path: string,
  file: string,
  expected: Parameters<typeof escrowDoubt>[2],
): Promise<string | undefined> => {
  try {
    const copy = await destination.read(path);
    if (copy === undefined) return `${destination.name} has no copy`;
    if (Buffer.from(copy).toString() !== file) return `${destination.name} has another copy`;
    const signature = await destination.read(signaturePath(path));
    const doubt = escrowDoubt(file, signature && Buffer.from(signature).toString(), expected);
    return doubt && `The copy in ${destination.name} ${doubt.problem}`;
  } catch (error) {
    return messageOf(error);
  }
};
