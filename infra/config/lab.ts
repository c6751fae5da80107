import type { HearthConfig } from "./schema.ts";

/** Whether a configuration is the lab's. Its machines have loopback addresses, which no real machine can have. */
export const isLab = (network: Pick<HearthConfig["network"], "subnet"> | undefined): boolean =>
  network?.subnet.startsWith("127.") === true;
