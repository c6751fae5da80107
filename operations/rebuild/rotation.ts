import { readFile } from "node:fs/promises";

import { parseStackFile } from "../../infra/config/stack-file.ts";
import type { Target } from "../../lib/engine/target.ts";
import { Problem } from "../../toolchain/problem.ts";
import type { AuthorityName } from "../rotate/pending-authority.ts";

const prefix = "hearth-rotation:";

const rotations: Partial<Record<string, string>> & Record<AuthorityName, string> = {
  os: "talos-authority",
  k8s: "kubernetes-authority",
  k8saggregator: "aggregation-authority",
};

/** The keys of a stack file's text under which a rotation keeps the authority that it is about to give the machines. */
export const pendingRotations = (text: string): string[] =>
  Object.keys(parseStackFile(text).settings).filter((key) => key.startsWith(prefix));

/**
 * Requires that no rotation of an authority is under way. Machines that have the new one already look like another cluster's.
 *
 * @throws Problem that names the command that finishes it
 */
export const requireNoRotation = async ({ stack, stackFile }: Pick<Target, "stack" | "stackFile">): Promise<void> => {
  const keys = pendingRotations(await readFile(stackFile, "utf8"));
  if (keys.length === 0) return;
  const commands = keys.map((key) => {
    const name = key.slice(prefix.length);
    return `npx hearth rotate ${stack} ${rotations[name] ?? name}`;
  });
  throw new Problem(
    `A rotation of ${stack} is not finished (${keys.join(", ")} in the stack file), and machines that have the new authority already would ` +
      `look like another cluster's: finish it first with ${commands.join(" and ")}. If the state is lost, bring it back with npx hearth ` +
      `restore ${stack}. Only if every machine is gone for good: take ${keys.join(" and ")} out of the stack file`,
  );
};
