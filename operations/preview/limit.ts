/** Characters that a report may have: GitHub takes comments of up to 65,536. */
export const limit = 64_000;

/**
 * Cuts a Markdown text at the end of a line, so that it has at most the given number of characters.
 *
 * It closes the blocks that are open there, and adds a line that says where the whole text is.
 */
export const cut = (text: string, whole: string, most = limit): string => {
  if (text.length <= most) return text;
  const pointer = `\n**This report is cut here:** all of it is in ${whole}.\n`;
  const kept: string[] = [];
  const open = new Blocks();
  let length = pointer.length;
  for (const line of text.split("\n")) {
    const after = open.with(line);
    if (length + line.length + 1 + after.closing.length > most) break;
    kept.push(line);
    length += line.length + 1;
    open.take(line);
  }
  return `${kept.join("\n")}\n${open.closing}${pointer}`;
};

/** The blocks that are open at a line of a Markdown text. */
class Blocks {
  private fence: string | undefined;
  private details = 0;

  take(line: string): void {
    const fence = /^(`{3,})/.exec(line)?.[1];
    if (this.fence === undefined) {
      this.fence = fence;
      if (line.startsWith("<details>")) this.details += 1;
      if (line.startsWith("</details>")) this.details -= 1;
    } else if (line === this.fence) this.fence = undefined;
  }

  with(line: string): Blocks {
    const next = new Blocks();
    next.fence = this.fence;
    next.details = this.details;
    next.take(line);
    return next;
  }

  /** The text that closes them. */
  get closing(): string {
    return `${this.fence === undefined ? "" : `${this.fence}\n`}${"\n</details>\n".repeat(this.details)}`;
  }
}
