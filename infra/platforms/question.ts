import type { z } from "zod";

/** Answers by flag, as text; lists are separated by commas. */
export type Given = Record<string, string>;

/** A fact about a new stack. It is asked for only where it has no default. */
export interface Question {
  flag: string;
  text: string;
  example?: string;
  /** Says what is wrong with an answer; undefined where nothing is. */
  refuse: (answer: string) => string | undefined;
  /** Whether it matters, given the earlier answers. */
  matters?: (given: Given) => boolean;
  fallback?: (given: Given) => string | undefined;
}

/** What a schema refuses, in the words of its message. */
export const by =
  (schema: z.ZodType) =>
  (answer: string): string | undefined => {
    const parsed = schema.safeParse(answer);
    if (parsed.success) return undefined;
    const [predicate = "", advice = ""] = parsed.error.issues[0]?.message.split("\n") ?? [];
    return `${answer === "" ? "an empty answer" : answer} ${predicate}: ${advice}`;
  };

/** What a schema refuses of any entry of a list. */
export const each = (schema: z.ZodType) => (answer: string) =>
  listOf(answer)
    .map(by(schema))
    .find((problem) => problem !== undefined);

/** What does not match a pattern is not what it should be. */
export const matching = (pattern: RegExp, what: string) => (answer: string) =>
  pattern.test(answer) ? undefined : `${answer === "" ? "an empty answer" : answer} is not ${what}`;

export const anything = matching(/\S/, "a name");

/** The entries of a list as a flag has it. */
export const listOf = (answer: string): string[] =>
  answer
    .split(",")
    .map((entry) => entry.trim())
    .filter((entry) => entry !== "");
