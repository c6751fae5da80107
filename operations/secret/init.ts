import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join, relative } from "node:path";

import { ageRecipient, verifyOpens } from "../../components/secrets/age.ts";
import { isPlaceholder, strangersIn } from "../../components/secrets/known-recipients.ts";
import type { HearthConfig } from "../../infra/config/index.ts";
import { escrowPath } from "../../infra/escrow-file.ts";
import { clusterFolder } from "../../infra/facts.ts";
import { dataKeys, readTree } from "../../infra/tree.ts";
import type { Target } from "../../lib/engine/target.ts";
import { withOwn } from "../../lib/secrets/creation-rules.ts";
import { identitiesAtHand } from "../../lib/secrets/keys.ts";
import { drawIdentity, stackIdentity } from "../../lib/secrets/stack-identity.ts";
import { requireUsualBackend } from "../../lib/secrets/usual-backend.ts";
import type { Call } from "../../lib/terminal/command.ts";
import { HiddenLines } from "../../lib/terminal/hidden-lines.ts";
import { writeWhole } from "../../lib/terminal/whole-file.ts";
import { Problem } from "../../toolchain/problem.ts";
import { configuredSecrets } from "../escrow/collect.ts";
import { SecretFiles } from "./files.ts";
import { PlainFile } from "./plain-file.ts";
import { questionsOf, renewed, type OpenFile, type Renewed } from "./renewal.ts";

/** A file of the environment, as it stands in Git and in plain. */
interface Opened extends OpenFile {
  /** From the checkout's root. */
  path: string;
  plain: PlainFile;
}

/**
 * Makes the tree's secrets a stack's own before its first deployment: draws the stack's age key into the stack file, names it in
 * `.sops.yaml`, and writes every file of the environment that others can open again, with new values. Run again after an interruption, it
 * goes on: what only the stack's key opens is the stack's own already.
 */
export const initSecrets = async (call: Call, input: NodeJS.ReadableStream): Promise<number> => {
  const { root, stack, print, answer } = call;
  const target = await call.open();
  if (target.isLab)
    throw new Problem("The lab's secrets are the examples, which everybody's lab opens: leave --lab out");
  await requireUsualBackend(target, call.backend);
  const config = await target.config();
  const present = stackIdentity(await target.engine.state(), (await configuredSecrets(target)).ageSeed);
  if (present === undefined) requireNoEscrow(config, target);
  const secrets = await SecretFiles.open(root);
  const folder = clusterFolder(config.gitops);
  const given = await identitiesAtHand(call.identities);
  const files = await openAll({ root, config, folder, secrets, own: present, given });
  const answers = await ask(files, call, input);
  const recipient = await ageRecipient(present ?? (await drawIdentity(target.engine)));
  await nameIn(root, folder, [recipient, ...ownRecipients(config)]);
  const results = renewed(files, answers, () => randomBytes(32).toString("base64url"));
  for (const { path, plain, file } of files) {
    const result = results.find((each) => each.file === file);
    if (result !== undefined) await secrets.replace(path, plain.withValues(result.values));
  }
  print(report({ stack, folder, recipient, results, hadKey: present !== undefined }));
  answer({
    recipient,
    files: results.map(({ file }) => join(folder, file)),
    examples: results.flatMap(({ file, examples }) => examples.map((key) => ({ file: join(folder, file), key }))),
  });
  return 0;
};

/** A stack with an escrow but no key has lost its state: another key would open nothing of the cluster that was there. */
const requireNoEscrow = (config: HearthConfig, { root, stack }: Target): void => {
  const path = escrowPath(config, stack);
  if (!existsSync(join(root, path))) return;
  throw new Problem(
    `${path} holds the age key of ${stack}, and its state has none: npx hearth rebuild ${stack} brings it back. ` +
      "If the escrow is of a cluster that you gave up, remove the file",
  );
};

/** Who can open the escrow can open the tree's secrets as well, and so edits them with a key of their own. */
const ownRecipients = ({ escrow }: HearthConfig): string[] =>
  (escrow?.recipients ?? []).filter((each) => !isPlaceholder(each) && strangersIn(each).length === 0);

const nameIn = async (root: string, folder: string, recipients: readonly string[]): Promise<void> => {
  const file = join(root, ".sops.yaml");
  const text = await readFile(file, "utf8");
  const changed = withOwn(text, folder, recipients, (each) => strangersIn(each).length > 0);
  if (changed !== text) await writeWhole(file, changed);
};

interface Keyring {
  root: string;
  config: HearthConfig;
  folder: string;
  secrets: SecretFiles;
  /** The stack's identity, if it has one. */
  own: string | undefined;
  /** Identities that the person has at hand. */
  given: string[];
}

/** Opens every Secret of the environment. @throws Problem that names what nobody here can open */
const openAll = async ({ root, config, folder, secrets, own, given }: Keyring): Promise<Opened[]> => {
  const read = new Set(readTree(config, root).encryptedFiles.map(({ path }) => path));
  const paths = secrets.all(folder).filter((path) => /\.ya?ml$/.test(path));
  const identities = [...(own === undefined ? [] : [own]), ...given];
  return Promise.all(
    paths.map(async (path) => {
      const text = await readFile(join(root, path), "utf8");
      const plain = new PlainFile(await secrets.read(path, identities));
      const isOwn = own !== undefined && strangersIn(text).length === 0 && (await opens(own, path, text));
      return { path, file: relative(folder, path), plain, values: plain.values(), isOwn, isRead: read.has(path) };
    }),
  );
};

const opens = (identity: string, path: string, text: string): Promise<boolean> =>
  verifyOpens(identity, [{ path, dataKeys: dataKeys(text) }]).then(
    () => true,
    () => false,
  );

/** Asks the person for what only they know. Without a terminal nobody is asked, and the examples stay. */
const ask = async (
  files: readonly OpenFile[],
  { ask: terminal, complain }: Call,
  input: NodeJS.ReadableStream,
): Promise<Map<string, string>> => {
  const answers = new Map<string, string>();
  if (terminal === undefined) return answers;
  const lines = new HiddenLines(input);
  try {
    for (const { id, what } of questionsOf(files)) {
      complain(`${what} (empty: later):`);
      answers.set(id, (await lines.next()) ?? "");
    }
  } finally {
    lines.close();
  }
  return answers;
};

interface Done {
  stack: string;
  folder: string;
  recipient: string;
  results: readonly Renewed[];
  hadKey: boolean;
}

const report = ({ stack, folder, recipient, results, hadKey }: Done): string => {
  const examples = results.filter((each) => each.examples.length > 0);
  return [
    `${hadKey ? "The age key" : "A new age key"} of ${stack}: ${recipient}`,
    results.length === 0
      ? `All secrets below ${folder} are its own already`
      : `Encrypted to it, with new values, ${results.length.toString()} files below ${folder}`,
    ...(examples.length === 0
      ? []
      : ["These still have the example's values. Give them yours before you rely on them:"]),
    ...examples.map(
      ({ file, examples: keys }) => `  npx hearth secret edit ${join(folder, file)}   # ${keys.join(", ")}`,
    ),
    `Commit .sops.yaml, Pulumi.${stack}.yaml and ${folder}, and push them.`,
  ].join("\n");
};
