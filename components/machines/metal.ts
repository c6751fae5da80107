import type { Machine, MachineFacts } from "./machine.ts";

/**
 * A bare-metal machine that was booted from the Image Factory's ISO and waits in maintenance mode at its address.
 *
 * Hearth neither creates nor deletes the hardware. A destroy therefore wipes the machine, which then waits again.
 */
export const metalMachine = (facts: MachineFacts): Machine => ({
  ...facts,
  platform: "metal",
  resources: [],
  resetOnDestroy: true,
});
