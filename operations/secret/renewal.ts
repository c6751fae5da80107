import { sourceOf, type Source } from "./sources.ts";

/** A file of the tree, decrypted: its values by key. */
export interface OpenFile {
  /** Below the environment's folder. */
  file: string;
  values: Readonly<Record<string, string>>;
  /** Whether the stack's key opens it, so that its values are the stack's already. */
  isOwn: boolean;
  /** Whether the cluster reads it. What a system that is off needs is not asked for. */
  isRead: boolean;
}

/** A value that only the person knows. */
export interface Question {
  /** The same for every place that has this value. */
  id: string;
  what: string;
}

/** The values that a file gets. */
export interface Renewed {
  file: string;
  values: Record<string, string>;
  /** Keys that keep the example's value, because nobody gave another. */
  examples: string[];
}

/** Where a value really comes from: what it is the same as, if it is. */
const originOf = (file: string, key: string): { id: string; source: Exclude<Source, { kind: "same" }> } => {
  const source = sourceOf(file, key);
  return source.kind === "same" ? originOf(source.file, source.key) : { id: `${file} ${key}`, source };
};

const originsIn = ({ file, values }: OpenFile) =>
  Object.entries(values).map(([key, value]) => ({ key, value, ...originOf(file, key) }));

/** The stack's own values, by origin. */
const ownIn = (files: readonly OpenFile[]): Map<string, string> =>
  new Map(files.filter(({ isOwn }) => isOwn).flatMap((file) => originsIn(file).map(({ id, value }) => [id, value])));

/** What has to be asked, each once. */
export const questionsOf = (files: readonly OpenFile[]): Question[] => {
  const own = ownIn(files);
  const asked = files
    .filter(({ isOwn, isRead }) => !isOwn && isRead)
    .flatMap(originsIn)
    .flatMap(({ id, source }) => (source.kind === "asked" && !own.has(id) ? [[id, source.what] as const] : []));
  return [...new Map(asked)].map(([id, what]) => ({ id, what }));
};

/**
 * New values for the files that are not the stack's own yet.
 *
 * @param answers of the person by the questions' IDs; empty where there is none
 * @param draw draws a random value
 */
export const renewed = (
  files: readonly OpenFile[],
  answers: ReadonlyMap<string, string>,
  draw: () => string,
): Renewed[] => {
  const settled = ownIn(files);
  for (const [id, answer] of answers) if (answer !== "") settled.set(id, answer);
  const drawn = (id: string): string => {
    const value = draw();
    settled.set(id, value);
    return value;
  };
  return files
    .filter(({ isOwn }) => !isOwn)
    .map((file) => {
      const origins = originsIn(file).map(({ key, value, id, source }) => ({
        key,
        value: settled.get(id) ?? (source.kind === "drawn" ? drawn(id) : value),
        isExample: source.kind === "asked" && !settled.has(id),
      }));
      return {
        file: file.file,
        values: Object.fromEntries(origins.map(({ key, value }) => [key, value])),
        examples: origins.filter(({ isExample }) => isExample).map(({ key }) => key),
      };
    });
};
