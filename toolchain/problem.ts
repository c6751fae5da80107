/** Something that the person at the terminal can mend. Its message is one line: what, where, what to do. */
export class Problem extends Error {
  override readonly name = "Problem";
}

/** What to show of any thrown value: a problem's message, and the stack only where HEARTH_DEBUG asks for it. */
export const explain = (error: unknown): string => {
  if (!(error instanceof Error)) return String(error);
  if (process.env.HEARTH_DEBUG !== undefined) return error.stack ?? error.message;
  return error instanceof Problem ? error.message : `${error.message} (HEARTH_DEBUG=1 shows where)`;
};

/** The system's code of an error, for example `ENOENT`. */
export const codeOf = (error: unknown): string | undefined =>
  error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : undefined;
