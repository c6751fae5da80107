import { readFile } from "node:fs/promises";

import { examineStackFile, parseStackFile } from "../../infra/config/stack-file.ts";
import { ConfigurationError } from "../../infra/config/error.ts";
import { labAgeIdentity } from "../../lib/secrets/lab-identity.ts";
import { Display, duration, table } from "../../lib/terminal/display.ts";
import { labFolder } from "../../lib/engine/lab-folder.ts";
import { readArguments } from "../../toolchain/arguments.ts";
import { Problem } from "../../toolchain/problem.ts";
import { tellCopies, writeWhole } from "../places/index.ts";
import type { Session } from "../../lib/terminal/session.ts";
import { Target } from "../../lib/engine/target.ts";
import { checkEscrow } from "./check.ts";
import { identitiesAtHand } from "../../lib/secrets/keys.ts";
import { exchangeRecipients, type Exchange } from "./recipients.ts";
import { Sops } from "../../lib/secrets/sops.ts";
import type { Trial } from "./verify.ts";
import { writeEscrow, type Means } from "./write.ts";

const usage = `Usage: npm run escrow -- STACK [COMMAND] [FLAG…]

  write     write the stack's root secrets into its escrow, open it with every key at hand, and copy it
            (without a command, this one)
  check     say whether the escrow holds what the state does, and opens with the keys at hand
  rotate    change who can open it: --add age1… and --remove age1…, each as often as needed

  --identity FILE   a file with an age identity, beside those that SOPS finds by itself; as often as needed
  --no-kms          do not ask the key management service
  --lab             the lab's stack; as well where the shell has evaluated \`npm run lab -- env\``;

const options = {
  lab: { type: "boolean" },
  kms: { type: "boolean", default: true },
  identity: { type: "string", multiple: true },
  add: { type: "string", multiple: true },
  remove: { type: "string", multiple: true },
} as const;

/**
 * Runs one command on an escrow.
 *
 * @returns its exit code
 */
export const cli = async (args: string[], session: Session): Promise<number> => {
  const { values, positionals } = readArguments(args, options, usage);
  const [stack, command = "write", ...more] = positionals;
  if (values.help === true || stack === undefined) {
    session.print(usage);
    return values.help === true ? 0 : 1;
  }
  if (more.length > 0 || !["write", "check", "rotate"].includes(command)) {
    throw new Problem(`There is no command ${[command, ...more].join(" ")}\n\n${usage}`);
  }
  const exchange = { add: values.add ?? [], remove: values.remove ?? [] };
  const changes = exchange.add.length + exchange.remove.length > 0;
  if (changes !== (command === "rotate")) {
    throw new Problem(`--add and --remove belong to rotate, which needs one of them\n\n${usage}`);
  }
  const target = await Target.open(session.root, stack, { lab: values.lab ?? false });
  const display = new Display();
  const means = await meansFor(target, values.identity ?? [], values.kms, display);
  try {
    if (command === "check") return await check(target, means, session);
    if (command === "rotate") await rotate(target, exchange);
    return await write(target, means, session, display);
  } finally {
    display.clear();
  }
};

/** What opens escrows here: the keys at hand, and in the lab its own. */
export const meansFor = async (target: Target, files: string[], kms: boolean, display: Display): Promise<Means> => ({
  keys: {
    identities: [...(await identitiesAtHand(files)), ...(target.isLab ? [labAgeIdentity] : [])],
    kms,
  },
  sops: await Sops.find(target.root),
  live: (text) => {
    display.live(text);
  },
});

const write = async (target: Target, means: Means, { print, complain }: Session, display: Display): Promise<number> => {
  const { path, fingerprint, isUnchanged, trials, copies } = await writeEscrow(target, means);
  display.clear();
  const state = isUnchanged ? "holds what the state does already" : "was written";
  print(`${path} ${state}, ${fingerprint.slice(0, 19)}… (${duration(display.seconds)})`);
  print(trialTable(trials));
  const isWhole = tellCopies(copies, "Copied to", { print, complain });
  if (!trials.some(({ outcome }) => outcome === "opened")) {
    complain("No key at hand opens it, so nothing proves that it does: run `check` where one is");
  }
  return isWhole ? 0 : 1;
};

const check = async (target: Target, means: Means, { print, complain }: Session): Promise<number> => {
  const { path, fingerprint, trials, problems, remarks } = await checkEscrow(target, means);
  if (trials.length > 0) print(trialTable(trials));
  for (const remark of remarks) print(remark);
  for (const problem of problems) complain(problem);
  if (problems.length > 0) complain(`Write it anew with: npm run escrow -- ${target.stack}`);
  else print(`${path} holds what the state does, ${fingerprint.slice(0, 19)}…`);
  return problems.length > 0 ? 1 : 0;
};

const trialTable = (trials: Trial[]): string =>
  table(
    ["key", "outcome"],
    trials.map(({ key, outcome }) => [key, outcome]),
  );

/** Changes the recipients in the file that a person edits, and in the lab in the one derived from it. */
const rotate = async (target: Target, exchange: Exchange): Promise<void> => {
  const { committed } = labFolder(target.root, target.stack);
  for (const file of new Set([target.stackFile, committed])) {
    const changed = exchangeRecipients(await readFile(file, "utf8"), exchange, `Pulumi.${target.stack}.yaml`);
    const { config, problems, undeployable } = examineStackFile(parseStackFile(changed));
    const gaps = target.isLab ? [] : undeployable;
    if (!config || gaps.length > 0) throw new ConfigurationError(target.stack, [...problems, ...gaps]);
    await writeWhole(file, changed);
  }
};
