import { createHash } from "node:crypto";

import { goYamlString } from "./go-yaml.ts";

/** What an Image Factory image adds to plain Talos. */
export interface ImageProfile {
  /** Official system extensions, such as `siderolabs/qemu-guest-agent`. */
  extensions: string[];
  /** Arguments that are added to the kernel's command line. One that begins with `-` removes an argument. */
  kernelArguments: string[];
  /** SecureBoot also accepts Microsoft's signatures, as on the firmware of a graphics card. @default false */
  wellKnownCertificates?: boolean | undefined;
  /** What a single-board computer needs to boot. */
  overlay?: Overlay | undefined;
}

/** Firmware and device tree of a single-board computer. */
export interface Overlay {
  /** @example "siderolabs/sbc-raspberrypi" */
  image: string;
  /** @example "rpi_generic" */
  name: string;
}

/**
 * Returns the Image Factory's identifier of a profile: the SHA-256 of its canonical YAML.
 *
 * Images with and without SecureBoot have the same identifier. Source: siderolabs/image-factory, pkg/schematic.
 */
export const schematicId = (profile: ImageProfile): string =>
  createHash("sha256").update(schematicDocument(profile)).digest("hex");

/**
 * Renders a profile as the Image Factory's canonical YAML.
 *
 * The factory hashes the document that it serialises itself. Key order, the indentation of four and the style of quotes are
 * therefore part of the format. Extensions are sorted, because their order has no effect.
 */
export const schematicDocument = ({
  extensions,
  kernelArguments,
  wellKnownCertificates,
  overlay,
}: ImageProfile): string => {
  const board = overlay
    ? `overlay:\n${indent(1)}image: ${goYamlString(overlay.image)}\n${indent(1)}name: ${goYamlString(overlay.name)}\n`
    : "";
  const customization = [
    ...list("extraKernelArgs", kernelArguments, 1),
    ...(extensions.length > 0
      ? [`${indent(1)}systemExtensions:`, ...list("officialExtensions", [...extensions].sort(), 2)]
      : []),
    ...(wellKnownCertificates ? [`${indent(1)}secureboot:`, `${indent(2)}includeWellKnownCertificates: true`] : []),
  ];
  return board + (customization.length > 0 ? `customization:\n${customization.join("\n")}\n` : "customization: {}\n");
};

const indent = (level: number): string => " ".repeat(4 * level);

const list = (key: string, items: string[], level: number): string[] =>
  items.length > 0
    ? [`${indent(level)}${key}:`, ...items.map((item) => `${indent(level + 1)}- ${goYamlString(item)}`)]
    : [];

/**
 * The platform's name in Talos. `nocloud` is a virtual machine with cloud-init data.
 *
 * Source: siderolabs/talos v1.13.9, pkg/machinery/platforms/platforms.go.
 */
export type Platform =
  | ("metal" | "aws" | "gcp" | "equinixMetal" | "azure" | "digital-ocean" | "nocloud" | "openstack" | "vmware")
  | ("akamai" | "cloudstack" | "hcloud" | "oracle" | "upcloud" | "vultr" | "exoscale" | "opennebula" | "scaleway");

export type Architecture = "amd64" | "arm64";

/** A boot image, without its Talos release. */
export interface BootImage {
  platform: Platform;
  schematic: string;
  /** Architecture of the machine's processor. Installers are for all. @default "amd64" */
  architecture?: Architecture | undefined;
  /** Whether the firmware verifies the image's signature. */
  secureBoot: boolean;
  /** URL of the Image Factory that builds the image, without a path. */
  factory: string;
}

/** Siderolabs' Image Factory. */
export const publicFactory = "https://factory.talos.dev";

const suffix = ({ secureBoot }: BootImage): string => (secureBoot ? "-secureboot" : "");

/** The image that Talos is installed and upgraded from. */
export const installerImage = (image: BootImage, talos: string): string =>
  `${new URL(image.factory).host}/${image.platform}-installer${suffix(image)}/${image.schematic}:${talos}`;

/** URL of an uncompressed qcow2 image, which Proxmox can import. */
export const diskImageUrl = (image: BootImage, talos: string): string => `${assetUrl(image, talos)}.qcow2`;

/** URL of the ISO that a machine without an operating system boots, from a USB stick or a virtual drive. */
export const isoUrl = (image: BootImage, talos: string): string => `${assetUrl(image, talos)}.iso`;

/**
 * URL of the iPXE script of a machine that boots over the network. Only the public factory's is known: another one serves them at an
 * address of its own, or not at all.
 *
 * Source of the path: siderolabs/image-factory v1.5.0, internal/frontend/http/http.go. The host is the one that the public factory prints.
 */
export const pxeUrl = (image: BootImage, talos: string): string | undefined =>
  new URL(image.factory).origin === publicFactory
    ? assetUrl(image, talos).replace(`${publicFactory}/image/`, "https://pxe.factory.talos.dev/pxe/")
    : undefined;

const assetUrl = (image: BootImage, talos: string): string =>
  `${new URL(image.factory).origin}/image/${image.schematic}/${talos}/${image.platform}-${image.architecture ?? "amd64"}${suffix(image)}`;
