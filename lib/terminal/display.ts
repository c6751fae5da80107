/** Shows progress: lines that stay, and on a terminal one that changes. */
export class Display {
  private readonly started = Date.now();
  private shown = "";
  private last = 0;

  constructor(private readonly out: NodeJS.WriteStream = process.stderr) {}

  /** Seconds since the command began. */
  get seconds(): number {
    return (Date.now() - this.started) / 1000;
  }

  /** Writes a line that stays. */
  line(text: string): void {
    this.clear();
    this.out.write(`${text}\n`);
  }

  /** Shows what is going on right now; without a terminal, a line every 15 seconds. */
  live(text: string): void {
    const now = Date.now();
    if (!this.out.isTTY) {
      if (now - this.last < 15_000) return;
      this.last = now;
      this.out.write(`  ${text} (${duration(this.seconds)})\n`);
      return;
    }
    if (now - this.last < 100) return;
    this.last = now;
    this.clear();
    this.shown = `  ${text} (${duration(this.seconds)})`.slice(0, this.out.columns - 1);
    this.out.write(this.shown);
  }

  /** Removes the changing line. */
  clear(): void {
    if (this.shown !== "") this.out.write("\r\u001b[K");
    this.shown = "";
  }
}

/** Seconds in words. */
export const duration = (seconds: number): string =>
  seconds < 10
    ? `${seconds.toFixed(1)} s`
    : seconds < 120
      ? `${Math.round(seconds).toString()} s`
      : `${Math.floor(seconds / 60).toString()} min ${Math.round(seconds % 60).toString()} s`;

/** Rows as aligned columns, under their headings. */
export const table = (headings: string[], rows: readonly string[][]): string => {
  const all = [headings, ...rows];
  const widths = headings.map((_, column) => Math.max(...all.map((row) => row[column]?.length ?? 0)));
  return all
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
};
