import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { Problem } from "../problem.ts";
import { download, Unavailable, type DownloadOptions } from "./download.ts";
import { Registry } from "./registry.ts";
import type { Release } from "./releases.ts";
import type { Wanted } from "./wanted.ts";
import { reasonOf, type Web } from "./web.ts";

export interface TakeOptions extends DownloadOptions {
  /** Folder for what is on its way; what is left there of a broken download is gone on with. */
  parts: string;
  /** Takes a tool out of an archive; false where it is not in it. */
  place: (name: string, archive: string, packed: Release["packed"]) => Promise<boolean>;
}

/**
 * Downloads a release, checks it, and has the tools named taken out of it.
 *
 * @throws Problem where it is not what the table says: its digest, or what it holds
 * @throws Unavailable where the vendor does not give it
 */
export const take = async (web: Web, wanted: Wanted, names: readonly string[], options: TakeOptions): Promise<void> => {
  const { parts, place, ...rest } = options;
  await mkdir(parts, { recursive: true });
  const left = new Set(names);
  for (const { packed, ...source } of await sources(web, wanted)) {
    const part = join(parts, source.digest);
    await download(web, source, part, rest);
    for (const name of left) if (await place(name, part, packed)) left.delete(name);
    await rm(part, { force: true });
    if (left.size === 0) return;
  }
  const [name = ""] = left;
  throw new Problem(
    `${wanted.from} holds no ${wanted.holds[name] ?? ""}: toolchain/vendors/releases.ts has another place for ${name} than its release. ` +
      "HEARTH_DOWNLOADS=off builds it instead",
  );
};

/** The files to look for a tool in: the release itself, or the layers of the image from the topmost down. */
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
