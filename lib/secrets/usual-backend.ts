import { readFile } from "node:fs/promises";
import { resolve } from "node:path";

import { escrowHead } from "../../components/secrets/escrow-head.ts";
import { examineStackFile, parseStackFile } from "../../infra/config/stack-file.ts";
import { escrowPath } from "../../infra/escrow-file.ts";
import { codeOf, Problem } from "../../toolchain/problem.ts";
import { withoutCredentials } from "../engine/backend.ts";
import type { Target } from "../engine/target.ts";

/**
 * Refuses a backend that is not the one that the stack's escrow names: an older state there would be taken for the stack's, or
 * none for a loss.
 *
 * @param named the backend that the person says is right
 * @param file the escrow's path; defaults to the configuration's
 */
export const requireUsualBackend = async (target: Target, named?: string, file?: string): Promise<void> => {
  // A lab's backend is a folder of its own checkout.
  if (target.isLab) return;
  const { config } = examineStackFile(parseStackFile(await readFile(target.stackFile, "utf8")));
  const path = file ?? escrowPath({ escrow: config?.escrow }, target.stack);
  const usual = backendIn(await textOf(resolve(target.root, path)));
  if (usual === undefined && named === undefined) return;
  compareBackends({ stack: target.stack, usual, present: await target.engine.backend(), named, path });
};

export interface Backends {
  stack: string;
  /** The backend that the escrow names. */
  usual: string | undefined;
  /** The backend that the shell is logged in to. */
  present: string;
  named: string | undefined;
  /** Path of the escrow in messages. */
  path: string;
}

/** @throws Problem if the present backend is neither the usual one nor the one that the person names */
export const compareBackends = ({ stack, usual, present, named, path }: Backends): void => {
  if (named !== undefined && withoutCredentials(named) !== present) {
    throw new Problem(
      `--backend ${withoutCredentials(named)} is not where this shell is logged in, which is ${present}: ` +
        `pulumi login '${withoutCredentials(named)}', or name the other`,
    );
  }
  if (named !== undefined || usual === undefined || usual === present) return;
  throw new Problem(
    [
      `${path} says that the state of ${stack} is kept in another backend than this shell is logged in to, so nothing was done:`,
      `  the escrow's   ${usual}`,
      `  this shell's   ${present}`,
      `Log in to the first: pulumi login '${usual}'. If the state has moved for good, say so: --backend '${present}'; npx hearth escrow ` +
        `${stack} then writes it down`,
    ].join("\n"),
  );
};

/** The backend that an escrow names; undefined if it names none. */
export const backendIn = (escrow: string | undefined): string | undefined => {
  const read = escrow === undefined ? undefined : escrowHead(escrow);
  return read && "head" in read ? read.head.backend : undefined;
};

const textOf = (path: string): Promise<string | undefined> =>
  readFile(path, "utf8").catch((error: unknown) => {
    if (codeOf(error) === "ENOENT") return undefined;
    throw new Problem(`${path} cannot be read (${codeOf(error) ?? "?"}): make it readable`);
  });
