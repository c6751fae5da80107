import type { Maker } from "./maker.ts";
import type { PlatformName } from "./index.ts";
import { metalMachines } from "./metal/machines.ts";
import { proxmoxMachines } from "./proxmox/machines.ts";

/** How machines of each platform come to be. Apart from the list of platforms, for it loads the engine's SDK. */
export const makers = {
  proxmox: proxmoxMachines,
  metal: metalMachines,
} satisfies Record<PlatformName, unknown> as unknown as Record<string, Maker>;
