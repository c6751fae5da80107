import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";

import { parse, stringify } from "yaml";
import { z } from "zod";

import { Problem } from "../../toolchain/problem.ts";
import { writeWhole } from "../terminal/whole-file.ts";

/** Where the digests of charts are recorded. */
export const digestsFile = "gitops/chart-digests.yaml";

/** SHA-256 of charts' archives as `sha256:…`, by the chart's URL and version; see {@link chartKey}. */
export type ChartDigests = Readonly<Record<string, string>>;

const format = z.record(
  z.string(),
  z.string().regex(/^sha256:[0-9a-f]{64}$/, "is no digest: sha256: and 64 hexadecimal digits"),
);

const header = `# SHA-256 of the archive of each chart that the tree names: npx hearth check --charts --update records those that are missing. One that
# changes was pushed again under the same version: find out by whom before its line is removed here.
`;

/** @throws Problem where the file is not as this program writes it */
export const readDigests = (checkout: string): ChartDigests => {
  const path = join(checkout, digestsFile);
  const read = format.safeParse((existsSync(path) ? parse(readFileSync(path, "utf8")) : undefined) ?? {});
  if (read.success) return read.data;
  const [issue] = read.error.issues;
  throw new Problem(`${digestsFile}: ${issue?.path.join(".") ?? ""} ${issue?.message ?? ""}`);
};

export const writeDigests = (checkout: string, digests: ChartDigests): Promise<void> => {
  const sorted = Object.fromEntries(Object.entries(digests).sort(([a], [b]) => (a < b ? -1 : 1)));
  return writeWhole(join(checkout, digestsFile), header + stringify(sorted, { lineWidth: 0 }));
};

/**
 * The digests to record: those that there are stay as they are, and those of charts that had none come in.
 *
 * @param isWhole whether all charts of the tree were asked for, so that a digest of no other one is needed
 */
export const updatedDigests = (
  recorded: ChartDigests,
  found: readonly { key: string; digest?: string }[],
  isWhole: boolean,
): ChartDigests => {
  const kept = Object.entries(recorded).filter(([key]) => !isWhole || found.some((each) => each.key === key));
  const added = found.flatMap(({ key, digest }) =>
    digest === undefined || key in recorded ? [] : ([[key, digest]] as const),
  );
  return Object.fromEntries([...kept, ...added]);
};
