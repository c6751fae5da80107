import type * as pulumi from "@pulumi/pulumi";

import type { MachineSettings } from "../talos/machine-config.ts";
import type { BootImage } from "../talos/schematic.ts";

/** What a machine is to those who do not care where it runs. */
export type MachineFacts = Omit<MachineSettings, "hostname" | "installerImage"> & Omit<BootImage, "platform">;

/** Hardware that has booted Talos and waits for its configuration: a virtual machine or bare metal. */
export interface Machine extends MachineFacts, BootImage {
  /** What has to be there before the machine answers, and whose replacement makes another machine of it. */
  resources: pulumi.Resource[];
  /** Wipe it when its configuration is destroyed. What is destroyed with its host needs none of that. */
  resetOnDestroy: boolean;
}
