/** A problem that the person at the terminal can fix. Its message says what is wrong, where, and what to do. */
export class Problem extends Error {
  override readonly name = "Problem";
}

/** Formats any thrown value. The stack trace is shown only if HEARTH_DEBUG is set. */
export const explain = (error: unknown): string => {
  if (!(error instanceof Error)) return String(error);
  if (process.env.HEARTH_DEBUG !== undefined) return error.stack ?? error.message;
  return error instanceof Problem ? error.message : `${error.message} (HEARTH_DEBUG=1 shows where)`;
};

/** Returns what an error says; for any other thrown value, what it is as text. */
export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** Returns the system's code of an error, for example `ENOENT`. */
export const codeOf = (error: unknown): string | undefined =>
  error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : undefined;
