import type { Maker } from "./maker.ts";
import type { PlatformName } from "./index.ts";
import { metalMachines } from "./metal/machines.ts";
import { proxmoxMachines } from "./proxmox/machines.ts";

/** Creates the machines of each platform. Separate from the list of platforms, because it loads Pulumi's SDK. */
export const makers = {
  proxmox: proxmoxMachines,
  metal: metalMachines,
} satisfies Record<PlatformName, unknown> as unknown as Record<string, Maker>;
