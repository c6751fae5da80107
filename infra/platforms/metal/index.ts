import { z } from "zod";

import { commonKeys, withInstallDisk } from "../../config/nodes.ts";
import type { Platform } from "../platform.ts";

const node = withInstallDisk(
  z.strictObject({
    /** Where its machine is. */
    platform: z.literal("metal"),
    ...commonKeys,
  }),
);

export type MetalNode = z.output<typeof node>;

/** Machines that somebody boots from the Image Factory's ISO: there is nothing to create, and nothing to look for. */
export const metal = {
  name: "metal",
  machine: "bare metal",
  node,
  groups: {},
  secrets: {},
  resources: {},
  setup: {
    extensions: [],
    installDisk: "/dev/nvme0n1",
    questions: () => [],
    answers: () => ({}),
    settings: () => undefined,
    node: () => undefined,
  },
  check: () => [],
  addresses: () => [],
  claims: () => [],
  placement: () => undefined,
} as const satisfies Platform<MetalNode>;
