/** The disk that Talos is installed to: by its path, or by what it is. */
export type InstallTarget = { disk: string } | { diskSelector: DiskSelector };

/** What a disk has to be, all of it. Source: Talos reference, v1alpha1, InstallDiskSelector. */
export interface DiskSelector {
  /** @example ">= 100GB" */
  size?: string | undefined;
  type?: "ssd" | "hdd" | "nvme" | "sd" | undefined;
  /** May have wildcards. */
  model?: string | undefined;
  serial?: string | undefined;
  wwid?: string | undefined;
  uuid?: string | undefined;
  /** @example "/pci0000:00/*" */
  busPath?: string | undefined;
}

/**
 * The part of the machine section that says where Talos is installed, and from which image.
 *
 * Kernel arguments are not here but in the image: it brings its command line with it.
 */
export const installSection = (target: InstallTarget, image: string) => ({
  // Talos generates a path, which a selector is to take the place of.
  install: { ...("diskSelector" in target && { disk: { $patch: "delete" } }), ...target, image, wipe: false },
});
