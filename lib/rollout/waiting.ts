import { duration } from "../terminal/display.ts";

/** Since when something is waited for. What ended begins anew. */
export class Waiting {
  private readonly began = new Map<string, number>();

  /** When it began, in milliseconds: now, if it has not. */
  since(what: string): number {
    const began = this.began.get(what) ?? Date.now();
    this.began.set(what, began);
    return began;
  }

  end(what: string): void {
    this.began.delete(what);
  }

  /** What is waited for, how long already, and how long at most, in milliseconds. */
  text(what: string, most: number, problem: string): string {
    const already = duration((Date.now() - this.since(what)) / 1000);
    return `Waiting for ${what}, ${already} of ${duration(most / 1000)} at most: ${problem}`;
  }
}
