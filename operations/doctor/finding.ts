/** What one check found. */
export interface Finding {
  /** What was looked at. It begins with the subject. @example "Proxmox datastore local on pve1" */
  check: string;
  is: "fine" | "warning" | "problem" | "not asked";
  /** What it is, without any secret. If it was not asked, why. */
  found: string;
  /** What to do; empty if it is fine. */
  advice: string;
}

export const fine = (check: string, found: string): Finding => ({ check, is: "fine", found, advice: "" });

export const warning = (check: string, found: string, advice: string): Finding => ({
  check,
  is: "warning",
  found,
  advice,
});

export const problem = (check: string, found: string, advice: string): Finding => ({
  check,
  is: "problem",
  found,
  advice,
});

export const notAsked = (check: string, why: string, advice = ""): Finding => ({
  check,
  is: "not asked",
  found: why,
  advice,
});

/** Something that was read, or why it could not be. What is not known is neither there nor missing. */
export type Known<T> = { value: T } | { why: string };

/** Reads something, and keeps the reason if that fails. */
export const known = async <T>(read: () => Promise<T>): Promise<Known<T>> => {
  try {
    return { value: await read() };
  } catch (error) {
    return { why: firstLine(error) };
  }
};

/**
 * Reads something, unless that takes too long.
 *
 * @param timeout in milliseconds
 */
export const knownWithin = async <T>(timeout: number, read: () => Promise<T>): Promise<Known<T>> => {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<Known<T>>((resolve) => {
    timer = setTimeout(resolve, timeout, { why: `no answer in ${(Math.round(timeout / 10) / 100).toString()} s` });
  });
  try {
    return await Promise.race([known(read), late]);
  } finally {
    clearTimeout(timer);
  }
};

/** The value, or undefined if it is not known. */
export const valueOf = <T>(read: Known<T>): T | undefined => ("value" in read ? read.value : undefined);

/** The first line of what was thrown. */
export const firstLine = (error: unknown): string => {
  if (!(error instanceof Error)) return String(error);
  const message = error.message === "" && error.cause instanceof Error ? error.cause.message : error.message;
  return message.split("\n")[0] ?? "";
};

/** Joins words as a list. */
export const listed = (words: readonly string[]): string => words.join(", ");
