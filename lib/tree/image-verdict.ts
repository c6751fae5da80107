import { imageDigests, type Digests } from "./digest-list.ts";
import { hasDigest, type NamedImage } from "./images.ts";
import type { Said } from "./registries.ts";
import type { Finding } from "./render.ts";
import { pendingFile } from "./rules/digests.ts";

/** What is known of the images of all clusters. */
export interface ImageFacts {
  named: readonly NamedImage[];
  /** What registries say, by image. */
  said: ReadonlyMap<string, Said>;
  recorded: Digests;
  /** Images that wait for a digest, with the reason of each. */
  pending: Readonly<Record<string, string>>;
  /** Whether a file of the tree has the name of an image, which may be off. */
  isWritten: (image: string) => boolean;
  /** Whether what is named is all that the tree has. */
  isWhole: boolean;
  /** Whether digests that registries say are recorded now. */
  update: boolean;
}

/** What follows from it. */
export interface ImageVerdict {
  findings: Finding[];
  /** Digests that can be recorded. */
  added: Digests;
  /** Images in the lists that nothing names. Empty if not all of the tree is known. */
  unused: string[];
  /** Images of charts that have no digest yet. */
  waiting: string[];
}

/** Images that charts name by a tag alone, whose content can be exchanged under it. */
export const ofCharts = (named: readonly NamedImage[]): NamedImage[] =>
  named.filter(({ image, isOfChart }) => isOfChart && !hasDigest(image));

/**
 * Judges the images of all clusters: each is in its registry, each that a chart names has a recorded digest or waits for one, and is
 * still what was recorded. A recorded digest never gives way to another.
 */
export const judgeImages = (facts: ImageFacts): ImageVerdict => {
  const { named, said, recorded, pending, isWritten, isWhole, update } = facts;
  const charts = new Set(ofCharts(named).map(({ image }) => image));
  const added = Object.fromEntries(
    [...charts].flatMap((image) => {
      const digest = image in recorded ? undefined : said.get(image)?.digest;
      return digest === undefined ? [] : [[image, digest]];
    }),
  );
  const judged = named.flatMap((each): Finding[] => {
    const { image, by, place } = each;
    const { isMissing, reason } = said.get(image) ?? {};
    if (isMissing === true) {
      return [
        {
          ...place,
          message: `${by}: the image ${image} does not exist (${reason ?? ""})`,
          advice: "name one that its registry has",
        },
      ];
    }
    const isKnown = image in recorded || image in pending || (update && image in added);
    if (!charts.has(image) || isKnown) return [];
    return [
      {
        ...place,
        message: `${by}: the image ${image} of its chart has no digest`,
        advice: `record what its registry says by npx hearth check --charts --update, or add it to ${pendingFile} with a reason`,
      },
    ];
  });
  const all = new Set(named.map(({ image }) => image));
  const unrecorded = Object.keys(pending).filter((image) => !all.has(image) && !isWritten(image));
  const unused = isWhole ? [...Object.keys(recorded).filter((image) => !charts.has(image)), ...unrecorded] : [];
  const moved = [...charts].flatMap((image): Finding[] => {
    const [now, before] = [said.get(image)?.digest, recorded[image]];
    if (now === undefined || before === undefined || now === before) return [];
    return [
      {
        file: imageDigests.file,
        message: `${image} was pushed again: its registry has ${now}, and ${before} is recorded`,
        advice: "find out by whom, and what changed; then remove its line, and run npx hearth check --charts --update",
      },
    ];
  });
  return {
    findings: [...judged, ...moved],
    added,
    unused,
    waiting: [...charts].filter((image) => !(image in recorded)),
  };
};
