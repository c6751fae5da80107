import type { TalosDocument } from "./documents/index.ts";
import { patchText, type FreeFormPatches, type Role } from "./machine-config.ts";

/** Free-form patches that contain keys. Machines get them, but no output shows them. */
export interface SecretPatches extends Partial<FreeFormPatches> {
  /** Patches by the node's name. */
  nodes?: Record<string, TalosDocument[]>;
}

/** Returns the secret patches of one machine. */
export const secretPatchesOf = (patches: SecretPatches, node: string, role: Role): string[] =>
  [
    ...(patches.all ?? []),
    ...((role === "controlplane" ? patches.controlPlanes : patches.workers) ?? []),
    ...(patches.nodes?.[node] ?? []),
  ].map(patchText);
