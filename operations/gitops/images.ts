import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

import { count } from "../../infra/config/error.ts";
import type { Call } from "../../lib/terminal/command.ts";
import { writeWhole } from "../../lib/terminal/whole-file.ts";
import { describeFinding } from "../../lib/tree/check.ts";
import { imageDigests } from "../../lib/tree/digest-list.ts";
import { judgeImages } from "../../lib/tree/image-verdict.ts";
import type { NamedImage } from "../../lib/tree/images.ts";
import { askRegistries, registryOf, type Said } from "../../lib/tree/registries.ts";
import { pendingFile, pendingImages, withoutPending } from "../../lib/tree/rules/digests.ts";
import { Sources } from "../../lib/tree/sources.ts";
import { Web } from "../../toolchain/vendors/web.ts";

/** What `check --charts` found out about images. */
export interface ImagesReport {
  images: ({ image: string } & Said)[];
  /** Whether there is a problem. */
  isBad: boolean;
}

/**
 * Asks the registries of all images that clusters name, says what is wrong with them, and records the digests of those of charts on request.
 *
 * @param isWhole whether the images of all clusters are known, options included
 */
export const reportImages = async (
  { root, print, complain }: Pick<Call, "root" | "print" | "complain">,
  named: readonly NamedImage[],
  { update, isWhole }: { update: boolean; isWhole: boolean },
  web: Web = new Web(),
): Promise<ImagesReport> => {
  const images = [...new Set(named.map(({ image }) => image))].sort();
  const said = await askRegistries(web, images);
  await web.close();
  const recorded = imageDigests.read(root);
  const list = new Sources(root).textOf(pendingFile);
  const facts = { named, said, recorded, pending: pendingImages(list), isWritten: writtenIn(root), isWhole, update };
  const { findings, added, unused, waiting } = judgeImages(facts);
  for (const text of new Set(findings.map(describeFinding))) complain(text);
  for (const [registry, silent] of silences(said))
    complain(`${count(silent, "image")} could not be asked for: ${registry}`);
  const digests = Object.entries(added);
  if (update) {
    const kept = Object.entries(recorded).filter(([image]) => !unused.includes(image));
    await imageDigests.write(root, Object.fromEntries([...kept, ...digests]));
    const remaining = withoutPending(list, [...unused, ...Object.keys(added)]);
    if (remaining !== list) await writeWhole(join(root, pendingFile), remaining);
    print(`${imageDigests.file}: ${count(digests.length, "digest")} added, ${unused.length.toString()} removed`);
  } else {
    if (digests.length > 0)
      print(`without a digest in ${imageDigests.file}, which --update records: ${Object.keys(added).join(", ")}`);
    if (unused.length > 0) print(`named by nothing any more, which --update removes: ${unused.join(", ")}`);
  }
  const still = waiting.filter((image) => !update || !(image in added));
  print(`${count(images.length, "image")}, of which ${still.length.toString()} of charts wait for a digest`);
  return { images: images.map((image) => ({ image, ...said.get(image) })), isBad: findings.length > 0 };
};

/** How many images nothing was said of, by registry and reason. */
const silences = (said: ReadonlyMap<string, Said>): Map<string, number> => {
  const silent = new Map<string, number>();
  for (const [image, { reason, isMissing }] of said) {
    if (reason === undefined || isMissing === true) continue;
    const key = `${registryOf(image)} (${reason})`;
    silent.set(key, (silent.get(key) ?? 0) + 1);
  }
  return silent;
};

/** Whether a file of the tree has the name of an image, in whatever is on or off. */
const writtenIn = (root: string): ((image: string) => boolean) => {
  const files = readdirSync(join(root, "gitops"), { recursive: true, encoding: "utf8" })
    .map((file) => join("gitops", file))
    .filter((file) => /\.ya?ml$/.test(file) && !lists.includes(file));
  const texts = files.map((file) => readFileSync(join(root, file), "utf8"));
  return (image) => texts.some((text) => text.includes(image));
};

const lists = [pendingFile, imageDigests.file];
