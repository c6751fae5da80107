import { z } from "zod";

import { commonKeys, withInstallDisk } from "../../config/nodes.ts";
import { metalPool } from "./pool.ts";
import type { Platform } from "../platform.ts";

const node = withInstallDisk(
  z.strictObject({
    /** Platform of the node's machine. */
    platform: z.literal("metal"),
    ...commonKeys,
  }),
);

export type MetalNode = z.output<typeof node>;

/** Machines that a person boots from the Image Factory's ISO. Hearth neither creates nor looks for them. */
export const metal = {
  name: "metal",
  machine: "bare metal",
  node,
  pool: metalPool,
  groups: {},
  secrets: {},
  resources: {},
  setup: {
    extensions: [],
    secrets: [],
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
