import { createHash } from "node:crypto";

import { stringify } from "yaml";

/** What an Image Factory image has beyond plain Talos. */
export interface ImageProfile {
  /** Official system extensions, such as `siderolabs/qemu-guest-agent`. */
  extensions: string[];
  /** Arguments added to the kernel's command line. */
  kernelArguments: string[];
}

/**
 * The Image Factory's identifier of a profile: the SHA-256 of its canonical YAML.
 *
 * The factory hashes the document that it serialises itself, so key order, the indentation of four and sorted extensions are
 * part of the format. Source: siderolabs/image-factory, pkg/schematic.
 */
export const schematicId = (profile: ImageProfile): string =>
  createHash("sha256").update(schematicDocument(profile)).digest("hex");

/** A profile as the Image Factory's own YAML. */
export const schematicDocument = ({ extensions, kernelArguments }: ImageProfile): string => {
  const customization = {
    ...(kernelArguments.length > 0 && { extraKernelArgs: kernelArguments }),
    ...(extensions.length > 0 && { systemExtensions: { officialExtensions: [...extensions].sort() } }),
  };
  return stringify({ customization }, { indent: 4, lineWidth: 0 });
};

/** The image that Talos installs and upgrades itself from. */
export const installerImage = (platform: Platform, schematic: string, talos: string): string =>
  `factory.talos.dev/${platform}-installer/${schematic}:${talos}`;

/** URL of a disk image that Proxmox can import. */
export const diskImageUrl = (schematic: string, talos: string): string =>
  `https://factory.talos.dev/image/${schematic}/${talos}/nocloud-amd64.qcow2`;

/** Where Talos runs, in its own words: `nocloud` is a virtual machine with cloud-init data. */
export type Platform = "nocloud" | "metal";
