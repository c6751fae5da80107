/** The disk that Talos is installed to: by its path, or by its properties. */
export type InstallTarget = { disk: string } | { diskSelector: DiskSelector };

/** The properties of a disk. It has to match all of them. Source: Talos reference, v1alpha1, InstallDiskSelector. */
export interface DiskSelector {
  /** @example ">= 100GB" */
  size?: string | undefined;
  type?: "ssd" | "hdd" | "nvme" | "sd" | undefined;
  /** May contain wildcards. */
  model?: string | undefined;
  serial?: string | undefined;
  wwid?: string | undefined;
  uuid?: string | undefined;
  /** @example "/pci0000:00/*" */
  busPath?: string | undefined;
}

/**
 * Renders the part of the machine section that says where Talos is installed, and from which image.
 *
 * Kernel arguments are part of the image, which contains its own command line.
 */
export const installSection = (target: InstallTarget, image: string) => ({
  // Talos generates a path, which a selector has to replace.
  install: { ...("diskSelector" in target && { disk: { $patch: "delete" } }), ...target, image, wipe: false },
});
