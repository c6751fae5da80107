import type * as pulumi from "@pulumi/pulumi";

import type { Platform } from "../talos/schematic.ts";

/** Hardware that has booted Talos and waits for its configuration: a virtual machine or bare metal. */
export interface Machine {
  role: "controlplane" | "worker";
  /** Known once the machine is there. */
  address: pulumi.Input<string>;
  mac: string;
  platform: Platform;
  /** Identifier of its Image Factory schematic. */
  schematic: string;
  /** Device that Talos is installed to, such as `/dev/sda`. */
  installDisk: string;
  /** Labels of its Kubernetes node. */
  labels: Record<string, string>;
}
