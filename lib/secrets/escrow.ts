import { stringify } from "yaml";

import {
  escrowHead,
  escrowVersion,
  unreadFormat,
  type EscrowHead,
  type Recipients,
} from "../../components/secrets/escrow-head.ts";
import { Problem } from "../../toolchain/problem.ts";
import { escrowSchema, fingerprint, fromDocument, type Escrow } from "./escrow-formats/index.ts";
import { byRecipient, type Keys } from "./keys.ts";
import { SopsError, type Sops } from "./sops.ts";

export { fingerprint, type Escrow } from "./escrow-formats/index.ts";

/** Keeps strings strings: SOPS's parser would read some of them as times. */
const quoted = { lineWidth: 0, defaultStringType: "QUOTE_DOUBLE", defaultKeyType: "PLAIN" } as const;

/** Only what is below this key is encrypted; the MAC covers all of the file. */
const encrypted = "^secrets$";

const remark = (stack: string): string =>
  [
    ` Root secrets of stack ${stack}, written by \`npx hearth escrow ${stack}\`. Any one of the keys at the end opens it:`,
    `   sops decrypt escrow.sops.yaml`,
    ` What talosctl gen config --with-secrets reads: sops decrypt --extract '["secrets"]["talosSecrets"]' escrow.sops.yaml`,
  ]
    .map((line) => `#${line}\n`)
    .join("");

/**
 * The text of the SOPS file that holds an escrow.
 *
 * @param backend where the stack's state is kept, which stands in the head
 */
export const sealEscrow = async (
  escrow: Escrow,
  recipients: Recipients,
  sops: Sops,
  backend?: string,
): Promise<string> => {
  const { stack, cluster, createdAt, ...rest } = escrowSchema.parse(escrow);
  const head = { version: escrowVersion, stack, cluster, createdAt, fingerprint: fingerprint(escrow) };
  const file = { ...head, ...(backend !== undefined && { backend }), secrets: rest };
  const sealed = await sops.encrypt(stringify(file, quoted), recipients, encrypted);
  return remark(stack) + sealed;
};

/**
 * What an escrow file says without a key.
 *
 * @param name how to call the file in messages
 * @throws Problem where it is no whole escrow file, or of a format that a newer Hearth writes
 */
export const headOf = (file: string, name: string): EscrowHead => {
  const read = escrowHead(file);
  if ("newer" in read) throw newer(name, read.newer);
  if ("problem" in read) throw damaged(name, read.problem);
  return read.head;
};

/**
 * Opens an escrow.
 *
 * @param file text of the file
 * @param keys each is tried; one suffices
 * @param name how to call the file in messages
 * @throws Problem where it is not whole, where no key opens it, or where what it holds is not what its head says
 */
export const readEscrow = async (file: string, keys: Keys, sops: Sops, name = "the escrow"): Promise<Escrow> => {
  const { recipients } = headOf(file, name);
  const known = await byRecipient(keys.identities);
  const asksKms = keys.kms && recipients.kms.length > 0;
  if (!recipients.age.some((recipient) => known.has(recipient)) && !asksKms) throw locked(name, recipients);
  const document = await sops.decrypt(file, keys).catch((error: unknown) => {
    if (!(error instanceof SopsError)) throw error;
    if (error.refusal === "no key") throw locked(name, recipients, error.message);
    throw damaged(name, error.refusal === "changed" ? "it was changed after it was written" : error.message);
  });
  const read = fromDocument(document);
  if ("problem" in read) throw damaged(name, read.problem);
  return read.escrow;
};

/** Refuses an escrow of another stack. */
export const requireStack = ({ stack }: { stack: string }, wanted: string, name: string): void => {
  if (stack === wanted) return;
  throw new Problem(`${name} is the escrow of stack ${stack}, not of ${wanted}: name the file of ${wanted}`);
};

const newer = (name: string, version: number): Problem => {
  const { problem, advice } = unreadFormat(version);
  return new Problem(`${name} ${problem}: ${advice}`);
};

const damaged = (name: string, what: string): Problem =>
  new Problem(`${name} is damaged: ${what}. Take it from Git's history or from another place that it was copied to`);

const locked = (name: string, { age: recipients, kms }: Recipients, detail = ""): Problem =>
  new Problem(
    [
      `No key at hand opens ${name}${detail === "" ? "" : ` (${detail})`}. It opens with the identity of any of these:`,
      ...[...recipients, ...kms].map((key) => `  ${key}`),
      "Put an age identity into the file that SOPS_AGE_KEY_FILE names, or log in to the key management service.",
    ].join("\n"),
  );
