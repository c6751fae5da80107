import type { TalosDocument } from "./documents/index.ts";
import { patchText, type FreeFormPatches, type Role } from "./machine-config.ts";

/** Free-form patches that carry keys: they reach machines but are never shown. */
export interface SecretPatches extends Partial<FreeFormPatches> {
  /** By the name of the node. */
  nodes?: Record<string, TalosDocument[]>;
}

/** The secret patches of one machine. */
export const secretPatchesOf = (patches: SecretPatches, node: string, role: Role): string[] =>
  [
    ...(patches.all ?? []),
    ...((role === "controlplane" ? patches.controlPlanes : patches.workers) ?? []),
    ...(patches.nodes?.[node] ?? []),
  ].map(patchText);
