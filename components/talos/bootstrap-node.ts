import * as pulumi from "@pulumi/pulumi";

import type { Machine } from "../machines/machine.ts";

/** Returns the control plane that bootstraps the cluster: the first by name, so that every run picks the same one. */
export const bootstrapNodeOf = (machines: Record<string, Machine>): Machine => {
  const [first] = Object.entries(machines)
    .filter(([, machine]) => machine.role === "controlplane")
    .sort(([a], [b]) => a.localeCompare(b));
  if (!first) throw new pulumi.InputPropertyError({ propertyPath: "machines", reason: "has no control plane" });
  return first[1];
};
