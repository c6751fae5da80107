import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";

import { parse, stringify } from "yaml";
import { z } from "zod";

import { Problem } from "../../toolchain/problem.ts";
import { writeWhole } from "../terminal/whole-file.ts";

/** SHA-256 as `sha256:…`, by what it is of. */
export type Digests = Readonly<Record<string, string>>;

const format = z.record(
  z.string(),
  z.string().regex(/^sha256:[0-9a-f]{64}$/, "is no digest: sha256: and 64 hexadecimal digits"),
);

/** A file of the tree that records digests. */
export class DigestList {
  /**
   * @param file from the checkout's root
   * @param header comment above the digests
   */
  constructor(
    readonly file: string,
    private readonly header: string,
  ) {}

  /** @throws Problem where the file is not as this program writes it */
  read(checkout: string): Digests {
    const path = join(checkout, this.file);
    const read = format.safeParse((existsSync(path) ? parse(readFileSync(path, "utf8")) : undefined) ?? {});
    if (read.success) return read.data;
    const [issue] = read.error.issues;
    throw new Problem(`${this.file}: ${issue?.path.join(".") ?? ""} ${issue?.message ?? ""}`);
  }

  write(checkout: string, digests: Digests): Promise<void> {
    const sorted = Object.fromEntries(Object.entries(digests).sort(([a], [b]) => (a < b ? -1 : 1)));
    return writeWhole(join(checkout, this.file), this.header + stringify(sorted, { lineWidth: 0 }));
  }
}

/** Digests of charts' archives, by the chart's URL and version; see {@link chartKey}. */
export const chartDigests = new DigestList(
  "gitops/chart-digests.yaml",
  `# SHA-256 of the archive of each chart that the tree names: npx hearth check --charts --update records those that are missing. One that
# changes was pushed again under the same version: find out by whom before its line is removed here.
`,
);

/** Digests of the images that charts name by a tag alone. */
export const imageDigests = new DigestList(
  "gitops/image-digests.yaml",
  `# Digest of each image that a chart of the tree names by its tag alone: npx hearth check --charts --update records those that are missing, and
# removes those that no chart names. One that changes was pushed again under the same tag: find out by whom before its line is removed here.
`,
);

/**
 * The digests to record: those that there are stay as they are, and those of what had none come in.
 *
 * @param isWhole whether all that the tree has was asked for, so that a digest of nothing else is needed
 */
export const updatedDigests = (
  recorded: Digests,
  found: readonly { key: string; digest?: string }[],
  isWhole: boolean,
): Digests => {
  const kept = Object.entries(recorded).filter(([key]) => !isWhole || found.some((each) => each.key === key));
  const added = found.flatMap(({ key, digest }) =>
    digest === undefined || key in recorded ? [] : ([[key, digest]] as const),
  );
  return Object.fromEntries([...kept, ...added]);
};
