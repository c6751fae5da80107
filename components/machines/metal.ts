import type { Machine, MachineFacts } from "./machine.ts";

/**
 * Bare metal that was booted from the Image Factory's ISO and waits in maintenance mode at its address.
 *
 * There is nothing to create, and nothing goes when the stack is destroyed: so it is wiped, and waits again.
 */
export const metalMachine = (facts: MachineFacts): Machine => ({
  ...facts,
  platform: "metal",
  resources: [],
  resetOnDestroy: true,
});
