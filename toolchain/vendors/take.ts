import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { Problem } from "../problem.ts";
import { download, Unavailable, type DownloadOptions } from "./download.ts";
import { Registry } from "./registry.ts";
import type { Release } from "./releases.ts";
import type { Wanted } from "./wanted.ts";
import { reasonOf, type Web } from "./web.ts";

export interface TakeOptions extends DownloadOptions {
  /** Folder for downloads in progress. A partial file in it is resumed. */
  parts: string;
  /** Extracts a tool from an archive. Returns false if the archive does not contain it. */
  place: (name: string, archive: string, packed: Release["packed"]) => Promise<boolean>;
}

/**
 * Downloads a release, verifies it, and extracts the named tools.
 *
 * @throws Problem if its digest or its content is not the expected one
 * @throws Unavailable if the vendor does not serve it
 */
export const take = async (web: Web, wanted: Wanted, names: readonly string[], options: TakeOptions): Promise<void> => {
  const { parts, place, ...rest } = options;
  await mkdir(parts, { recursive: true });
  const remaining = new Set(names);
  for (const { packed, ...source } of await sources(web, wanted)) {
    const part = join(parts, source.digest);
    await download(web, source, part, rest);
    for (const name of remaining) if (await place(name, part, packed)) remaining.delete(name);
    await rm(part, { force: true });
    if (remaining.size === 0) return;
  }
  const [name = ""] = remaining;
  throw new Problem(
    `${wanted.from} holds no ${wanted.holds[name] ?? ""}: the path of ${name} in toolchain/vendors/releases.ts is wrong for this release. ` +
      "HEARTH_DOWNLOADS=off builds it instead",
  );
};

/** Returns the files that may contain a tool: the release itself, or the layers of the image from the top down. */
const sources = async (web: Web, { kind, from, digest, packed, asset }: Wanted) => {
  if (kind === "file") return [{ url: from, digest, packed }];
  try {
    const layers = await new Registry(web, from).layers(digest, asset);
    return layers.map((layer) => ({ ...layer, packed: "tar.gz" as const }));
  } catch (error) {
    if (error instanceof Problem) throw error;
    throw new Unavailable(reasonOf(error), { cause: error });
  }
};
