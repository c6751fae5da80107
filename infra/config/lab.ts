import type { HearthConfig } from "./schema.ts";

/** Whether a configuration is the lab's: its machines are at loopback addresses, where no real machine can be. */
export const isLab = (network: Pick<HearthConfig["network"], "subnet"> | undefined): boolean =>
  network?.subnet.startsWith("127.") === true;
