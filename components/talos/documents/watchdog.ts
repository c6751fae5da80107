import { documentOf, type TalosDocument } from "./document.ts";

/** A hardware timer that restarts a machine which hangs. */
export interface Watchdog {
  /** @example "/dev/watchdog0" */
  device: string;
  /** Time without a sign of life, such as `1m0s`. */
  timeout: string;
}

/** Renders the watchdog's document. */
export const watchdogDocument = ({ device, timeout }: Watchdog): TalosDocument =>
  documentOf("WatchdogTimerConfig", { device, timeout });
