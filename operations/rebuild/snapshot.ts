import { readFile } from "node:fs/promises";

import { codeOf, Problem } from "../../toolchain/problem.ts";
import { hasItsDigest } from "../etcd/snapshot.ts";

/** Checks that a file is an intact snapshot of etcd, before anything depends on it. */
export const requireSnapshot = async (path: string): Promise<void> => {
  const content = await readFile(path).catch((error: unknown) => {
    throw new Problem(`${path} cannot be read (${codeOf(error) ?? "?"}): name a snapshot of etcd with --etcd`);
  });
  if (hasItsDigest(content)) return;
  throw new Problem(
    `${path} is no whole snapshot of etcd, what it holds is not what the digest at its end says: ` +
      "use another one, or leave --etcd out: Flux then fills an empty etcd from Git",
  );
};
