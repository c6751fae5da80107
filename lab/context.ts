import type { Display } from "../lib/terminal/display.ts";

/** What every command of the lab receives. */
export interface Context {
  display: Display;
  /** Aborted when the person asks to stop. */
  signal: AbortSignal;
  /** Aborted when the person asks to stop immediately. */
  hurry: AbortSignal;
}
