import { createHash } from "node:crypto";

import { goYamlString } from "./go-yaml.ts";

/** What an Image Factory image has beyond plain Talos. */
export interface ImageProfile {
  /** Official system extensions, such as `siderolabs/qemu-guest-agent`. */
  extensions: string[];
  /** Arguments added to the kernel's command line. One that begins with `-` removes an argument. */
  kernelArguments: string[];
  /** SecureBoot also accepts what Microsoft signed, such as firmware of a graphics card. @default false */
  wellKnownCertificates?: boolean | undefined;
}

/**
 * The Image Factory's identifier of a profile: the SHA-256 of its canonical YAML.
 *
 * It is the same for images with and without SecureBoot. Source: siderolabs/image-factory, pkg/schematic.
 */
export const schematicId = (profile: ImageProfile): string =>
  createHash("sha256").update(schematicDocument(profile)).digest("hex");

/**
 * A profile as the Image Factory's own YAML.
 *
 * The factory hashes the document that it serialises itself, so key order, the indentation of four and the style of
 * quotes are part of the format. Extensions have no order of their own, and are sorted so that theirs does not matter.
 */
export const schematicDocument = ({ extensions, kernelArguments, wellKnownCertificates }: ImageProfile): string => {
  const customization = [
    ...list("extraKernelArgs", kernelArguments, 1),
    ...(extensions.length > 0
      ? [`${indent(1)}systemExtensions:`, ...list("officialExtensions", [...extensions].sort(), 2)]
      : []),
    ...(wellKnownCertificates ? [`${indent(1)}secureboot:`, `${indent(2)}includeWellKnownCertificates: true`] : []),
  ];
  return customization.length > 0 ? `customization:\n${customization.join("\n")}\n` : "customization: {}\n";
};

const indent = (level: number): string => " ".repeat(4 * level);

const list = (key: string, items: string[], level: number): string[] =>
  items.length > 0
    ? [`${indent(level)}${key}:`, ...items.map((item) => `${indent(level + 1)}- ${goYamlString(item)}`)]
    : [];

/**
 * Where Talos runs, in its own words: `nocloud` is a virtual machine with cloud-init data.
 *
 * Source: siderolabs/talos v1.13.9, pkg/machinery/platforms/platforms.go.
 */
export type Platform =
  | ("metal" | "aws" | "gcp" | "equinixMetal" | "azure" | "digital-ocean" | "nocloud" | "openstack" | "vmware")
  | ("akamai" | "cloudstack" | "hcloud" | "oracle" | "upcloud" | "vultr" | "exoscale" | "opennebula" | "scaleway");

/** What a machine boots, beside its release. */
export interface BootImage {
  platform: Platform;
  schematic: string;
  /** The firmware checks its signature. */
  secureBoot: boolean;
  /** URL of the Image Factory that builds it, without a path. */
  factory: string;
}

/** The Image Factory of Siderolabs. */
export const publicFactory = "https://factory.talos.dev";

const suffix = ({ secureBoot }: BootImage): string => (secureBoot ? "-secureboot" : "");

/** The image that Talos installs and upgrades itself from. */
export const installerImage = (image: BootImage, talos: string): string =>
  `${new URL(image.factory).host}/${image.platform}-installer${suffix(image)}/${image.schematic}:${talos}`;

/** URL of a disk image that Proxmox can import: uncompressed qcow2. */
export const diskImageUrl = (image: BootImage, talos: string): string => `${assetUrl(image, talos)}.qcow2`;

/** URL of the image that a machine without an operating system boots from a USB stick or a virtual drive. */
export const isoUrl = (image: BootImage, talos: string): string => `${assetUrl(image, talos)}.iso`;

const assetUrl = (image: BootImage, talos: string): string =>
  `${new URL(image.factory).origin}/image/${image.schematic}/${talos}/${image.platform}-amd64${suffix(image)}`;
