import type { z } from "zod";

/** What a reader finds in a decrypted file, or what is wrong with it. */
export type Read<Held> = { escrow: Held } | { problem: string };

/** What a file of a version has that the version does not have, or lacks. Never a value. */
export const mismatch = (issues: readonly z.core.$ZodIssue[], version: number): string => {
  const unknown = issues.flatMap((issue) =>
    issue.code === "unrecognized_keys" ? issue.keys.map((key) => [...issue.path, key].join(".")) : [],
  );
  if (unknown.length > 0) return `it holds ${unknown.join(", ")}, which format ${version} does not have`;
  return `it lacks ${[...new Set(issues.map(({ path }) => path.join(".")))].join(", ")}`;
};
