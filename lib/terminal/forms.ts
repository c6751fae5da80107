import { advise } from "../../infra/config/nearest.ts";
import { Problem } from "../../toolchain/problem.ts";

/** A part of a form: `age|authority`, `STACK`, `[BACKUP]` or `FILE…`. */
interface Part {
  /** Words of which one has to stand there; none where it is the person's own. */
  words: string[];
  name: string;
  isOptional: boolean;
  isRepeated: boolean;
}

const partsOf = (form: string): Part[] =>
  form
    .split(" ")
    .filter((text) => text !== "")
    .map((text) => {
      const name = text.replaceAll(/[[\]…]/g, "");
      return {
        words: /^[a-z|-]+$/.test(name) ? name.split("|") : [],
        name,
        isOptional: text.startsWith("["),
        isRepeated: text.includes("…"),
      };
    });

const fits = (parts: Part[], given: readonly string[]): boolean => {
  const least = parts.filter(({ isOptional }) => !isOptional).length;
  const most = parts.some(({ isRepeated }) => isRepeated) ? Infinity : parts.length;
  return (
    given.length >= least &&
    given.length <= most &&
    parts.every(({ words }, index) => {
      const word = given[index];
      return words.length === 0 || word === undefined || words.includes(word);
    })
  );
};

/** What is wrong with the first word that should be one of a few. */
const unknownWord = (forms: Part[][], given: readonly string[]): string | undefined => {
  for (const [index, word] of given.entries()) {
    const words = forms.flatMap((parts) => parts[index]?.words ?? []);
    if (words.length > 0 && forms.every((parts) => (parts[index]?.words.length ?? 0) > 0) && !words.includes(word)) {
      return `${word} is nothing that it does: ${advise(word, words)}`;
    }
  }
  return undefined;
};

/** What a person gave, sorted into stacks and the rest. */
export interface Sorted {
  stacks: string[];
  args: string[];
}

/**
 * Sorts what follows a command's name by the form that it fits.
 *
 * @throws Problem that says what the command takes
 */
export const sorted = (name: string, forms: readonly string[], given: readonly string[]): Sorted => {
  const all = forms.map(partsOf);
  const parts = all.find((each) => fits(each, given));
  if (parts === undefined) {
    const usage = forms.map((form) => `npx hearth ${name} ${form}`.trimEnd()).join("\n       ");
    throw new Problem(`${unknownWord(all, given) ?? mismatch(all, given)}\n\nUsage: ${usage}`);
  }
  const isStack = (index: number): boolean => (parts[index] ?? parts.at(-1))?.name === "STACK";
  return {
    stacks: given.filter((_, index) => isStack(index)),
    args: given.filter((_, index) => !isStack(index)),
  };
};

const mismatch = (forms: Part[][], given: readonly string[]): string => {
  const [only, ...others] = forms;
  const missing = others.length === 0 ? only?.slice(given.length).find(({ isOptional }) => !isOptional) : undefined;
  if (missing !== undefined) return `${missing.name} is missing`;
  return given.length === 0 ? "Something is missing" : `${given.join(" ")} is not what it takes`;
};

/** Whether a form takes a stack. */
export const takesStack = (form: string): boolean => partsOf(form).some(({ name }) => name === "STACK");
