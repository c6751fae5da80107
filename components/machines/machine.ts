import type * as pulumi from "@pulumi/pulumi";

import type { MachineSettings } from "../talos/machine-config.ts";
import type { BootImage } from "../talos/schematic.ts";

/** The facts of a machine that do not depend on its platform. */
export type MachineFacts = Omit<MachineSettings, "hostname" | "installerImage"> &
  Omit<BootImage, "platform"> & {
    /** Name of its node before it was renamed. */
    renamedFrom?: string | undefined;
  };

/** A machine in maintenance mode, virtual or bare metal, that waits for its configuration. */
export interface Machine extends MachineFacts, BootImage {
  /** Resources that have to exist before the machine answers. When one is replaced, the machine is a new one. */
  resources: pulumi.Resource[];
  /** Whether to wipe the machine when its configuration is destroyed. Unnecessary where the machine itself is destroyed. */
  resetOnDestroy: boolean;
}
