import type { Display } from "../lib/terminal/display.ts";

/** What a command runs with. */
export interface Context {
  display: Display;
  /** Aborted when the person wants to stop. */
  signal: AbortSignal;
  /** Aborted when the person wants to stop at once. */
  hurry: AbortSignal;
}
