import { readFile } from "node:fs/promises";

import { isMap, parseDocument, type Scalar } from "yaml";

import { signersOf, type Signers } from "../../components/secrets/signing.ts";
import type { SshKeyPair } from "../../components/secrets/ssh.ts";
import type { Target } from "../../lib/engine/target.ts";
import { writeWhole } from "../../lib/terminal/whole-file.ts";
import { Problem } from "../../toolchain/problem.ts";

/**
 * Names the signers of backups in the text of a stack file, and leaves every other line as it is. Pure.
 *
 * @param name of the file in messages
 */
export const withSigners = (text: string, { stack, cluster }: Signers, name: string): string => {
  const escrow = parseDocument(text).getIn(["config", "hearth:escrow"]);
  const [first] = isMap<Scalar>(escrow) && escrow.flow !== true ? escrow.items : [];
  const start = first?.key.range?.[0];
  const end = isMap(escrow) ? escrow.range?.[1] : undefined;
  if (start === undefined || end === undefined) {
    const signers = `signers: { stack: ${stack}, cluster: ${cluster} }`;
    throw new Problem(`${name}: hearth:escrow has not a line for each key, so add this to it yourself: ${signers}`);
  }
  const indent = text.slice(text.lastIndexOf("\n", start) + 1, start);
  const lines = ["signers:", `  stack: ${stack}`, `  cluster: ${cluster}`].map((line) => `\n${indent}${line}`);
  const lineBreak = text.indexOf("\n", text.slice(0, end).trimEnd().length);
  const at = lineBreak < 0 ? text.length : lineBreak;
  return text.slice(0, at) + lines.join("") + (text.slice(at) || "\n");
};

/**
 * Removes the signers of backups from the text of a stack file, and leaves every other line as it is. Pure.
 *
 * @param name of the file in messages
 */
export const withoutSigners = (text: string, name: string): string => {
  const escrow = parseDocument(text).getIn(["config", "hearth:escrow"]);
  const signers = isMap<Scalar>(escrow) ? escrow.items.find(({ key }) => key.value === "signers") : undefined;
  if (!isMap(escrow) || signers === undefined) return text;
  const start = signers.key.range?.[0];
  const end = (signers.value as Scalar | null)?.range?.[1];
  if (start === undefined || end === undefined || escrow.flow === true) {
    throw new Problem(
      `${name}: hearth:escrow has not a line for each key, so remove its signers yourself, and run this again`,
    );
  }
  const lineBreak = text.indexOf("\n", text.slice(0, end).trimEnd().length);
  return text.slice(0, text.lastIndexOf("\n", start) + 1) + (lineBreak < 0 ? "" : text.slice(lineBreak + 1));
};

/**
 * Proves that the stack file can name the stack's signers, or names them already.
 *
 * @throws Problem if a person has to write them
 */
export const requireNameable = async (target: Target, keys: Signers<SshKeyPair>): Promise<void> => {
  if ((await target.config()).escrow?.signers) return;
  withSigners(await readFile(target.stackFile, "utf8"), signersOf(keys), `Pulumi.${target.stack}.yaml`);
};

/**
 * Names the stack's signers in its stack file, unless it names them already. In the lab it is the derived file.
 *
 * @returns whether the file was changed
 */
export const nameSigners = async (target: Target, keys: Signers<SshKeyPair>): Promise<boolean> => {
  if ((await target.config()).escrow?.signers) return false;
  const text = await readFile(target.stackFile, "utf8");
  await writeWhole(target.stackFile, withSigners(text, signersOf(keys), `Pulumi.${target.stack}.yaml`));
  return true;
};
