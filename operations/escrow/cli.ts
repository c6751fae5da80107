import { readFile } from "node:fs/promises";

import { examineStackFile, parseStackFile } from "../../infra/config/stack-file.ts";
import { ConfigurationError } from "../../infra/config/error.ts";
import { duration, table } from "../../lib/terminal/display.ts";
import { labFolder } from "../../lib/engine/lab-folder.ts";
import { Problem } from "../../toolchain/problem.ts";
import { tellCopies, writeWhole } from "../destinations/index.ts";
import type { Call } from "../../lib/terminal/command.ts";
import type { Target } from "../../lib/engine/target.ts";
import { checkEscrow } from "./check.ts";
import { credentialsFor } from "./credentials.ts";
import { exchangeRecipients, type Exchange } from "./recipients.ts";
import type { Trial } from "./verify.ts";
import { filesOf, writeEscrow, type Credentials } from "./write.ts";

interface EscrowFlags {
  check?: boolean | undefined;
  add?: string[] | undefined;
  remove?: string[] | undefined;
  kms?: boolean | undefined;
}

/** Writes or checks a stack's escrow. */
export const escrow = async (call: Call<EscrowFlags>): Promise<number> => {
  const { values, identities, display, open } = call;
  const exchange = { add: values.add ?? [], remove: values.remove ?? [] };
  const changes = exchange.add.length + exchange.remove.length > 0;
  if (changes && values.check === true) throw new Problem("--check writes nothing: give it without --add and --remove");
  const target = await open();
  const credentials = await credentialsFor(target, identities, values.kms ?? true, display);
  if (values.check === true) return check(target, credentials, call);
  if (changes) await changeRecipients(target, exchange);
  return write(target, credentials, call);
};

const write = async (target: Target, credentials: Credentials, call: Call): Promise<number> => {
  const { print, complain, display } = call;
  const written = await writeEscrow(target, credentials);
  const { path, fingerprint, isUnchanged, namesSigners, trials, copies } = written;
  const state = isUnchanged ? "holds what the state does already" : "was written";
  print(`${path} ${state}, ${fingerprint.slice(0, 19)}… (${duration(display.seconds)})`);
  if (namesSigners) print(`Pulumi.${target.stack}.yaml names who signs backups`);
  // A file without its signature of the same writing proves nothing.
  if (!isUnchanged && !target.isLab) print(`Commit together: ${filesOf(written, target.stack).join(", ")}`);
  print(trialTable(trials));
  const isWhole = tellCopies(copies, "Copied to", { print, complain });
  if (!trials.some(({ outcome }) => outcome === "opened")) {
    complain("No key at hand opens it, so nothing proves that it does: give --check where one is");
  }
  call.answer({ path, fingerprint, isUnchanged, trials, copies });
  return isWhole ? 0 : 1;
};

const check = async (target: Target, credentials: Credentials, call: Call): Promise<number> => {
  const { print, complain } = call;
  const { path, fingerprint, trials, problems, remarks } = await checkEscrow(target, credentials);
  if (trials.length > 0) print(trialTable(trials));
  for (const remark of remarks) print(remark);
  for (const problem of problems) complain(problem);
  if (problems.length > 0) complain(`Write it anew with: npx hearth escrow ${target.stack}`);
  else print(`${path} holds what the state does, ${fingerprint.slice(0, 19)}…`);
  call.answer({ path, fingerprint, trials, problems, remarks });
  return problems.length > 0 ? 1 : 0;
};

const trialTable = (trials: Trial[]): string =>
  table(
    ["key", "outcome"],
    trials.map(({ key, outcome }) => [key, outcome]),
  );

/** Changes the recipients in the file that people edit, and in the lab in the file derived from it. */
const changeRecipients = async (target: Target, exchange: Exchange): Promise<void> => {
  const { committed } = labFolder(target.root, target.stack);
  for (const file of new Set([target.stackFile, committed])) {
    const changed = exchangeRecipients(await readFile(file, "utf8"), exchange, `Pulumi.${target.stack}.yaml`);
    const { config, problems, undeployable } = examineStackFile(parseStackFile(changed));
    const gaps = target.isLab ? [] : undeployable;
    if (!config || gaps.length > 0) throw new ConfigurationError(target.stack, [...problems, ...gaps]);
    await writeWhole(file, changed);
  }
};
